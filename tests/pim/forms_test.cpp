// The text and the binary form against each other: what is written reads back as it was.
#include <rapidcheck/gtest.h>

#include "base/checksum.h"
#include "pim/binary_form.h"
#include "pim/looped_programs.h"
#include "pim/text_reader.h"
#include "pim/text_writer.h"

namespace memside::pim {
namespace {

RC_GTEST_PROP(Forms, a_random_program_reads_back_from_text, (std::uint64_t seed)) {
    const Program program = LoopedPrograms(seed).next(12);
    const std::string text = to_text(program);
    const auto read = parse_text(text, "x.aim");
    if (!read.ok()) RC_FAIL(read.error().message() + "\n" + text);
    RC_ASSERT(*read == program);
    RC_ASSERT(to_text(*read) == text);
}

RC_GTEST_PROP(Forms, a_random_program_reads_back_from_its_binary_form, (std::uint64_t seed)) {
    const Program program = LoopedPrograms(seed).next(12);
    const std::string bytes = to_binary(program);
    const auto read = parse_binary(bytes, "x.bin");
    if (!read.ok()) RC_FAIL(read.error().message() + "\n" + to_text(program));
    RC_ASSERT(*read == program);
    RC_ASSERT(to_binary(*read) == bytes);
}

RC_GTEST_PROP(Forms, any_changed_byte_of_the_binary_form_is_refused, (std::uint64_t seed)) {
    LoopedPrograms random(seed);
    const std::string bytes = to_binary(random.next(4));
    std::string changed = bytes;
    const std::size_t at = random.below(static_cast<std::uint32_t>(bytes.size()));
    changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + random.below(255)));
    const auto read = parse_binary(changed, "x.bin");
    RC_ASSERT(!read.ok());
    RC_ASSERT(read.error().where.starts_with("x.bin: byte "));
}

TEST(Forms, a_binary_program_that_was_cut_anywhere_or_grew_is_refused) {
    const std::string bytes = to_binary(LoopedPrograms(7).next(6));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_binary(bytes.substr(0, size), "x.bin").ok()) << size;
    }
    EXPECT_FALSE(parse_binary(bytes + '\0', "x.bin").ok());
}

TEST(Forms, the_text_form_of_the_public_traces_is_kept_byte_for_byte) {
    const std::string text =
        "W GPR 7\nAiM WR_GB 8 0 0x1\nAiM WR_BIAS 0 0xffffffff\nAiM MAC_ABK 8 0x1 3\n"
        "AiM RD_MAC 8 0x1\nAiM COPY_BKGB 4 0x1 3 1\nAiM EWADD 4 8 12\nW CFR 2 7\nAiM AF 0x1\n"
        "W MEM 14 15 3\nR GPR 0\nAiM SYNC\nAiM EOC\n";
    EXPECT_EQ(to_text(*parse_text(text, "x.aim")), text);
}

TEST(Forms, what_text_leaves_out_is_written_when_a_program_says_otherwise) {
    Program program;
    program.instructions = {
        {.opcode = Opcode::mac_abk, .column = 8, .opsize = 8, .mask = 1, .row = 2},
        {.opcode = Opcode::mac_abk, .column = 8, .gbuf = 8, .opsize = 8, .mask = 1, .row = 2},
        {.opcode = Opcode::mac_abk, .opsize = 8, .mask = 1, .row = 2}};
    program.loops = {{2, 3, 8}};
    program.strides = {{2, 0, Stride::Operand::column, 8}};
    EXPECT_EQ(to_text(program),
              "AiM MAC_ABK 8 0x1 2 col=8 gb=0\n"
              "AiM MAC_ABK 8 0x1 2 col=8\n"
              "LOOP 8\n"
              "  AiM MAC_ABK 8 0x1 2 gb=0 col+=8\n"
              "END\n");
    EXPECT_EQ(*parse_text(to_text(program), "x.aim"), canonical(program));
    EXPECT_EQ(*parse_binary(to_binary(program), "x.bin"), canonical(program));
}

TEST(Forms, a_loop_keeps_the_binary_form_as_small_for_a_million_iterations) {
    const auto bytes_of = [](const char* count) {
        const std::string text = fmt::format(
            "LOOP {}\nAiM WR_BIAS 0 0x1\nAiM MAC_ABK 8 0x1 0\nAiM RD_MAC 8 0x1\nEND\n", count);
        return to_binary(*parse_text(text, "x.aim")).size();
    };
    // Header 24, LOOP 1 + count, 3 + 4 + 3 of instructions, END 1, checksum 4.
    EXPECT_EQ(bytes_of("2"), 24u + 2 + 3 + 4 + 3 + 1 + 4);
    EXPECT_EQ(bytes_of("1000000"), bytes_of("2") + 2);
}

// Bytes that only a hand can write: the checksum is right, the content is not.
TEST(Forms, a_binary_program_that_nobody_wrote_is_refused_where_it_goes_wrong) {
    const auto made = [](std::uint64_t count, const std::string& items) {
        std::string bytes = to_binary({}).substr(0, 8);
        const auto put = [&](std::uint64_t value, int size) {
            for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
        };
        put(24 + items.size() + 4, 8);
        put(count, 8);
        bytes += items;
        put(crc32(bytes), 4);
        const auto read = parse_binary(bytes, "x.bin");
        return read.ok() ? fmt::format("{} instructions", read.value().instructions.size())
                         : read.error().message();
    };
    const auto opcode = [](Opcode code, unsigned written = 0) {
        return std::string(1, static_cast<char>(static_cast<unsigned>(code) | written << 5));
    };
    const std::string sync = opcode(Opcode::sync);
    const std::string loop = "\x1f";
    const std::string end = "\x1e";
    const std::string stride = "\x1d";
    EXPECT_EQ(made(1, sync), "1 instructions");
    EXPECT_EQ(made(2, sync), "x.bin: byte 16: 2 instructions are announced, but 1 bytes follow");
    EXPECT_EQ(made(1, sync + sync), "x.bin: byte 16: 1 instructions are announced, 2 follow");
    EXPECT_EQ(made(UINT64_MAX, sync),
              "x.bin: byte 16: 18446744073709551615 instructions are announced, but 1 bytes "
              "follow");
    EXPECT_EQ(made(1, "\x15"), "x.bin: byte 24: opcode 21 is above 20");
    EXPECT_EQ(made(1, opcode(Opcode::sync, 1)),
              "x.bin: byte 24: AiM SYNC has an optional operand that it does not take");
    EXPECT_EQ(made(1, opcode(Opcode::write_gpr) + "\x80\x80\x01"),
              "x.bin: byte 25: GPR 16384 is above 16383");
    EXPECT_EQ(made(1, opcode(Opcode::af) + std::string(1, '\0')),
              "x.bin: byte 25: mask 0 addresses no channel");
    EXPECT_EQ(made(1, opcode(Opcode::write_gpr) + std::string("\x80\0", 2)),
              "x.bin: byte 25: a number with a zero too many");
    EXPECT_EQ(made(1, opcode(Opcode::write_gpr) + "\x80\x80\x80\x80\x80\x01"),
              "x.bin: byte 25: a number of more than five bytes");
    EXPECT_EQ(made(1, opcode(Opcode::write_gpr) + "\x80"),
              "x.bin: byte 26: the file ends inside a number");
    EXPECT_EQ(made(1, loop + "\x02" + sync), "x.bin: byte 27: a loop has no end");
    EXPECT_EQ(made(1, sync + end), "x.bin: byte 25: END without LOOP");
    EXPECT_EQ(made(1, stride), "x.bin: byte 24: a stride without an instruction before it");
    EXPECT_EQ(made(1, loop + "\x02" + loop + "\x02" + opcode(Opcode::af) + "\x01" + end + stride),
              "x.bin: byte 31: a stride without an instruction before it");
    EXPECT_EQ(made(1, loop + "\x02" + opcode(Opcode::af) + "\x01" + stride + "\x05\x01\x02" + end),
              "x.bin: byte 28: stride operand 5 is above 4");
}

RC_GTEST_PROP(Forms, a_checked_program_stays_in_range_in_every_iteration, (std::uint64_t seed)) {
    const Program program = LoopedPrograms(seed).next(8);
    std::uint64_t count = 0;
    for (Cursor cursor(program); !cursor.done(); cursor.next(), ++count) {
        RC_ASSERT(!find_fault(*cursor));
    }
    RC_ASSERT(count == program.unrolled_count());
}

TEST(Forms, validate_refuses_what_readers_cannot_make) {
    const auto error_of = [](const Program& program) {
        const Status status = validate(program, "p");
        return status.ok() ? "" : status.error().message();
    };
    const Instruction sync{.opcode = Opcode::sync};
    const Instruction mac{.opcode = Opcode::mac_abk, .opsize = 8, .mask = 1, .row = 16384};
    EXPECT_EQ(error_of({{sync, sync}, {{0, 2, 3}}, {}}), "");
    EXPECT_EQ(error_of({{sync, mac}, {}, {}}), "p: instruction 1: row 16384 is above 16383");
    EXPECT_EQ(error_of({{sync, sync}, {{0, 0, 3}}, {}}),
              "p: loop 0: instructions 0 to 0 are no body that nests in the loops before it");
    EXPECT_EQ(error_of({{sync, sync}, {{0, 3, 3}}, {}}),
              "p: loop 0: instructions 0 to 3 are no body that nests in the loops before it");
    EXPECT_EQ(error_of({{sync, sync, sync}, {{0, 2, 3}, {1, 3, 2}}, {}}),
              "p: loop 1: instructions 1 to 3 are no body that nests in the loops before it");
    EXPECT_EQ(error_of({{sync, sync, sync}, {{0, 1, 3}, {0, 2, 2}}, {}}),
              "p: loop 1: instructions 0 to 2 are no body that nests in the loops before it");
    EXPECT_EQ(error_of({{sync, sync}, {{0, 2, 0}}, {}}),
              "p: instruction 0: a loop of 0 iterations; allowed: 1 and more");
    EXPECT_EQ(error_of({{sync, sync}, {{0, 1, 2}}, {{1, 0, Stride::Operand::row, 1}}}),
              "p: instruction 1: a stride out of order or of a loop that is not around it");
}

}  // namespace
}  // namespace memside::pim
