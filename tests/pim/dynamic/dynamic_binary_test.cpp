// The binary form of dynamic programs: what is written reads back, and nothing else is read.
#include "pim/dynamic/dynamic_binary.h"

#include <rapidcheck/gtest.h>

#include <cstring>

#include "base/checksum.h"
#include "pim/binary_form.h"
#include "pim/binary_parts.h"
#include "pim/dynamic/attention_program.h"
#include "pim/dynamic/dynamic_text.h"
#include "pim/dynamic/random_dynamic_program.h"

namespace memside::pim {
namespace {

// With the length and checksum that the bytes would need.
std::string resealed(std::string bytes) {
    bytes.resize(bytes.size() - binary_checksum_bytes);
    bytes.replace(8, 8, 8, '\0');
    end_binary(bytes);
    return bytes;
}

std::string refusal(const std::string& bytes) {
    const auto read = parse_dynamic_binary(bytes, "x.bin");
    return read.ok() ? "" : read.error().message();
}

RC_GTEST_PROP(DynamicBinary, a_random_program_reads_back, (std::uint64_t seed)) {
    const DynamicProgram program = RandomDynamicPrograms(seed).next(12);
    const std::string bytes = to_binary(program);
    const auto read = parse_dynamic_binary(bytes, "x.bin");
    if (!read.ok()) RC_FAIL(read.error().message() + "\n" + to_text(program));
    RC_ASSERT(*read == program);
    RC_ASSERT(to_binary(*read) == bytes);
}

RC_GTEST_PROP(DynamicBinary, any_changed_byte_is_refused, (std::uint64_t seed)) {
    RandomDynamicPrograms random(seed);
    std::string changed = to_binary(random.next(4));
    const std::size_t at = random.below(static_cast<std::uint32_t>(changed.size()));
    changed[at] = static_cast<char>(changed[at] ^ static_cast<char>(1 + random.below(255)));
    const auto read = parse_dynamic_binary(changed, "x.bin");
    RC_ASSERT(!read.ok());
    RC_ASSERT(read.error().where.starts_with("x.bin: byte "));
}

RC_GTEST_PROP(DynamicBinary, with_a_mended_checksum_a_change_is_refused_or_is_another_program,
              (std::uint64_t seed)) {
    RandomDynamicPrograms random(seed);
    const DynamicProgram program = random.next(4);
    std::string changed = to_binary(program);
    const std::size_t at = random.below(
        static_cast<std::uint32_t>(changed.size() - binary_checksum_bytes - binary_header_bytes));
    char& byte = changed[binary_header_bytes + at];
    byte = static_cast<char>(byte ^ static_cast<char>(1 + random.below(255)));
    changed = resealed(changed);
    const auto read = parse_dynamic_binary(changed, "x.bin");
    if (!read.ok()) {
        RC_ASSERT(read.error().where.starts_with("x.bin: byte "));
        return;
    }
    RC_ASSERT(to_binary(*read) == changed);
    RC_ASSERT(validate(*read, "").ok());
}

TEST(DynamicBinary, a_program_that_was_cut_anywhere_or_grew_is_refused) {
    const std::string bytes = to_binary(RandomDynamicPrograms(7).next(6));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(parse_dynamic_binary(bytes.substr(0, size), "x.bin").ok()) << size;
    }
    EXPECT_FALSE(parse_dynamic_binary(bytes + '\0', "x.bin").ok());
}

TEST(DynamicBinary, the_forms_of_programs_tell_one_another_apart) {
    const std::string dynamic = to_binary(attention_program(AttentionLayout({})));
    EXPECT_TRUE(is_dynamic_binary(dynamic));
    EXPECT_FALSE(is_binary(dynamic));
    const std::string plain = to_binary(Program{});
    EXPECT_FALSE(is_dynamic_binary(plain));
    EXPECT_EQ(refusal(plain),
              "x.bin: byte 0: not a binary dynamic program: it begins with 'AiM\\x1a\\x0d\\x0a'");
}

TEST(DynamicBinary, another_version_and_a_false_count_are_refused) {
    std::string bytes = to_binary(RandomDynamicPrograms(3).next(5));
    std::string other = bytes;
    other[6] = 1;
    EXPECT_EQ(refusal(resealed(other)), "x.bin: byte 6: version 1 is not supported; allowed: 2");
    other = bytes;
    other[binary_count_at] = static_cast<char>(other[binary_count_at] + 1);
    EXPECT_THAT(refusal(resealed(other)), testing::HasSubstr("x.bin: byte 16: "));
}

TEST(DynamicBinary, what_does_not_go_together_is_refused_at_its_byte) {
    DynamicProgram program = attention_program(AttentionLayout({}));
    program.items.back().hub.gpr_out = gpr_entries - 1;  // the results reach beyond the registers
    EXPECT_THAT(refusal(to_binary(program)),
                testing::AllOf(testing::StartsWith("x.bin: byte "),
                               testing::HasSubstr("gpr_out 16383 and the 31 after it")));
}

TEST(DynamicBinary, a_listing_shows_loops_virtual_rows_and_what_follows_the_tokens) {
    AttentionShape shape{.head_dim = 16, .channels = 1, .queries = 1};
    const std::string text = to_text(attention_program(AttentionLayout(shape)));
    EXPECT_THAT(text, testing::HasSubstr("region 0 \"keys\" of the request, as many rows"));
    EXPECT_THAT(text, testing::HasSubstr("entry 1 \"attention\" op=attention partitioning=token"));
    EXPECT_THAT(text, testing::HasSubstr("DYN_LOOP span=1024\n"));
    EXPECT_THAT(text, testing::HasSubstr("AiM MAC_ABK 1 0x1 0 opsize=tokens/16 row@region 1"));
    EXPECT_THAT(text, testing::HasSubstr("HUB softmax_block state=0 first_query=0 queries=1"));
}

}  // namespace
}  // namespace memside::pim
