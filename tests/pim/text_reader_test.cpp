#include "pim/text_reader.h"

#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

Program read(const std::string& text) {
    const auto program = parse_text(text, "x.aim");
    EXPECT_TRUE(program.ok()) << (program.ok() ? "" : program.error().message());
    return program.ok() ? *program : Program{};
}

std::string error_of(const std::string& text) {
    const auto program = parse_text(text, "x.aim");
    if (program.ok()) return "no error";
    EXPECT_EQ(program.error().exit_status(), 2);
    return program.error().message();
}

Instruction only(const std::string& line) {
    const Program program = read(line);
    EXPECT_EQ(program.instructions.size(), 1u);
    return program.instructions.empty() ? Instruction{} : program.instructions[0];
}

TEST(TextReader, every_instruction_reads_with_its_operands_in_place) {
    using I = Instruction;
    using O = Opcode;
    const std::vector<std::pair<std::string, I>> expected{
        {"AiM WR_SBK 3 0x80 5 77",
         {.opcode = O::wr_sbk, .bank = 5, .mask = 128, .row = 77, .gpr = 3}},
        {"AiM WR_ABK 4 2147483648 9", {.opcode = O::wr_abk, .mask = 1U << 31, .row = 9, .gpr = 4}},
        {"AiM WR_GB 8 16 1", {.opcode = O::wr_gb, .opsize = 8, .mask = 1, .gpr = 16}},
        {"AiM WR_BIAS 2 1", {.opcode = O::wr_bias, .mask = 1, .gpr = 2}},
        {"AiM RD_MAC 8 0xFFFFffff", {.opcode = O::rd_mac, .mask = 0xffffffff, .gpr = 8}},
        {"AiM RD_AF 8 1", {.opcode = O::rd_af, .mask = 1, .gpr = 8}},
        {"AiM RD_SBK 8 1 15 16383",
         {.opcode = O::rd_sbk, .bank = 15, .mask = 1, .row = 16383, .gpr = 8}},
        {"AiM COPY_BKGB 64 1 3 2",
         {.opcode = O::copy_bkgb, .bank = 3, .opsize = 64, .mask = 1, .row = 2}},
        {"AiM COPY_GBBK 6 1 3 2",
         {.opcode = O::copy_gbbk, .bank = 3, .opsize = 6, .mask = 1, .row = 2}},
        {"AiM MAC_SBK 6 1 3 2",
         {.opcode = O::mac_sbk, .bank = 3, .opsize = 6, .mask = 1, .row = 2}},
        {"AiM MAC_ABK 8 1 12", {.opcode = O::mac_abk, .opsize = 8, .mask = 1, .row = 12}},
        {"AiM AF 3", {.opcode = O::af, .mask = 3}},
        {"AiM EWMUL 33 1 0", {.opcode = O::ewmul, .opsize = 33, .mask = 1}},
        {"AiM EWADD 4 8 12", {.opcode = O::ewadd, .opsize = 4, .gpr = 8, .gpr2 = 12}},
        {"AiM SYNC", {.opcode = O::sync}},
        {"AiM EOC", {.opcode = O::eoc}},
        {"W GPR 16383", {.opcode = O::write_gpr, .gpr = 16383}},
        {"R GPR 0", {.opcode = O::read_gpr}},
        {"W CFR 2 7", {.opcode = O::write_cfr, .gpr = 2, .gpr2 = 7}},
        {"W MEM 31 15 3", {.opcode = O::write_mem, .bank = 15, .channel = 31, .row = 3}},
        {"R MEM 1 2 3", {.opcode = O::read_mem, .bank = 2, .channel = 1, .row = 3}},
    };
    ASSERT_EQ(expected.size(), opcode_count);
    for (const auto& [line, instruction] : expected) EXPECT_EQ(only(line), instruction) << line;
}

TEST(TextReader, optional_operands_have_their_defaults) {
    const Instruction plain = only("AiM MAC_ABK 8 1 0");
    EXPECT_EQ(plain.written, 0);
    const Instruction column = only("AiM MAC_ABK 8 1 0 col=24");
    EXPECT_EQ(column.column, 24);
    EXPECT_EQ(column.gbuf, 24);
    EXPECT_EQ(column.written, optional_column);
    const Instruction all = only("AiM MAC_ABK 8 1 0 out=3 gb=0x10 col=24");
    EXPECT_EQ(all.column, 24);
    EXPECT_EQ(all.gbuf, 16);
    EXPECT_EQ(all.out, 3u);
    EXPECT_EQ(all.written, optional_column | optional_gbuf | optional_out);
}

TEST(TextReader, blanks_comments_and_line_ends_do_not_matter) {
    const Program program = read("# head\r\n\n  AiM\tSYNC # wait\r\n\t#\nAiM  EOC#end");
    ASSERT_EQ(program.instructions.size(), 2u);
    EXPECT_EQ(program.instructions[0].opcode, Opcode::sync);
    EXPECT_EQ(program.instructions[1].opcode, Opcode::eoc);
    EXPECT_EQ(read("").instructions.size(), 0u);
}

TEST(TextReader, loops_nest_and_strides_name_the_loop_they_belong_to) {
    const Program program = read(
        "LOOP 4\n"
        "  AiM WR_GB 8 0 1 gpr+=8\n"
        "  LOOP 0x2\n"
        "    AiM MAC_ABK 8 1 5 gb=0 row+=-1 row+=2@2 col+=8 out+=1@2\n"
        "  END\n"
        "END\n"
        "AiM EOC\n");
    EXPECT_EQ(program.loops, (std::vector<Loop>{{0, 2, 4}, {1, 2, 2}}));
    using O = Stride::Operand;
    EXPECT_EQ(program.strides, (std::vector<Stride>{{0, 0, O::gpr, 8},
                                                    {1, 1, O::row, -1},
                                                    {1, 0, O::row, 2},
                                                    {1, 1, O::column, 8},
                                                    {1, 0, O::out, 1}}));
    EXPECT_EQ(program.unrolled_count(), 4u * (1 + 2) + 1);
    std::vector<std::uint32_t> rows;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) {
        if (cursor->opcode == Opcode::mac_abk) rows.push_back(cursor->row);
    }
    EXPECT_EQ(rows, (std::vector<std::uint32_t>{5, 4, 7, 6, 9, 8, 11, 10}));
}

TEST(TextReader, errors_say_line_column_and_what_is_allowed) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"AiM EOC\nAiM MAC_ABK 8 1 20000", "x.aim:2:17: row 20000 is above 16383"},
        {"AiM MAC_ABX 8 1 2",
         "x.aim:1:1: unknown instruction 'AiM MAC_ABX'; did you mean 'AiM MAC_ABK'?"},
        {"  aim eoc", "x.aim:1:3: unknown instruction 'aim eoc'; did you mean 'AiM EOC'?"},
        {"LOPP 4", "x.aim:1:1: unknown instruction 'LOPP 4'; did you mean 'LOOP'?"},
        {"AiM EOK", "x.aim:1:1: unknown instruction 'AiM EOK'; did you mean 'AiM EOC'?"},
        {"AiM MAC_ABK 8 1", "x.aim:1:16: row is missing; AiM MAC_ABK takes opsize mask row"},
        {"AiM MAC_ABK 8 1 2 3",
         "x.aim:1:19: unexpected '3' after the operands of AiM MAC_ABK; allowed: col=, gb=, out=, "
         "row+=, col+=, gb+=, out+="},
        {"AiM EOC 1", "x.aim:1:9: unexpected '1' after the operands of AiM EOC; allowed: nothing"},
        {"AiM MAC_ABK 0 1 2", "x.aim:1:13: opsize 0 is below 1"},
        {"AiM MAC_ABK 65 1 2", "x.aim:1:13: opsize 65 is above 64"},
        {"AiM MAC_ABK 8 0 2", "x.aim:1:15: mask 0 addresses no channel"},
        {"AiM MAC_ABK 8 0x1ffffffff 2", "x.aim:1:15: mask 0x1ffffffff is above 4294967295"},
        {"AiM MAC_ABK 8 99999999999999999999 2",
         "x.aim:1:15: mask 99999999999999999999 is above 4294967295"},
        {"AiM MAC_ABK 8 0x 2", "x.aim:1:15: mask must be a number, decimal or 0x hex, not '0x'"},
        {"AiM MAC_ABK 8 -1 2", "x.aim:1:15: mask must be a number, decimal or 0x hex, not '-1'"},
        {"AiM MAC_ABK 8 1k 2", "x.aim:1:15: mask must be a number, decimal or 0x hex, not '1k'"},
        {"AiM MAC_SBK 8 1 16 2", "x.aim:1:17: bank 16 is above 15"},
        {"R MEM 32 0 0", "x.aim:1:7: channel 32 is above 31"},
        {"W GPR 16384", "x.aim:1:7: GPR 16384 is above 16383"},
        {"W CFR 3 0", "x.aim:1:7: CFR 3 is above 2"},
        {"W CFR 1 2", "x.aim:1:9: value 2 is above 1 of CFR 1"},
        {"W CFR 2 8", "x.aim:1:9: value 8 is above 7"},
        {"W CFR 0 8", "x.aim:1:9: value 8 is above 1 of CFR 0"},
        {"AiM MAC_ABK 8 1 2 col=57", "x.aim:1:23: col 57 and the 7 after it end above 63"},
        {"AiM MAC_ABK 8 1 2 gb=60", "x.aim:1:22: gb 60 and the 7 after it end above 63"},
        {"AiM MAC_ABK 8 1 2 out=4096", "x.aim:1:23: out 4096 is above 4095"},
        {"AiM MAC_ABK 8 1 2 col=1 col=2", "x.aim:1:25: col= is given twice"},
        {"AiM EWMUL 8 1 2 gb=1", "x.aim:1:17: AiM EWMUL has no gb="},
        {"AiM WR_GB 8 16380 1", "x.aim:1:13: GPR 16380 and the 7 after it end above 16383"},
        {"AiM RD_MAC 16380 0x1f", "x.aim:1:12: GPR 16380 and the 4 after it end above 16383"},
        {"AiM EWADD 5 0 16380", "x.aim:1:15: second GPR 16380 and the 4 after it end above 16383"},
        {"LOOP 0", "x.aim:1:6: a loop of 0 iterations; allowed: 1 and more"},
        {"LOOP", "x.aim:1:5: LOOP needs its number of iterations"},
        {"LOOP 2 3", "x.aim:1:8: unexpected '3' after LOOP"},
        {"AiM EOC\nEND", "x.aim:2:1: END without LOOP"},
        {"LOOP 2\nEND", "x.aim:2:1: the loop has no instruction"},
        {"LOOP 2\n LOOP 3\nAiM SYNC\nEND\n", "x.aim:1:1: LOOP without END"},
        {"LOOP 2\n LOOP 3\nAiM SYNC\n", "x.aim:2:2: LOOP without END"},
        {"AiM AF 1 out+=1", "x.aim:1:10: a stride outside of any loop"},
        {"LOOP 2\nAiM AF 1 out+=1@2\nEND", "x.aim:2:10: a stride of loop @2, but 1 are open here"},
        {"LOOP 2\nAiM AF 1 row+=1\nEND", "x.aim:2:10: AiM AF has no row to step"},
        {"LOOP 2\nAiM AF 1 out+=1 out+=1\nEND", "x.aim:2:17: out+= of loop @1 is given twice"},
        {"LOOP 2\nAiM AF 1 out+=1 out=1\nEND",
         "x.aim:2:17: unexpected 'out=1' after the operands of AiM AF; allowed: out=, out+="},
        {"LOOP 2\nAiM AF 1 out+=4294967295\nEND",
         "x.aim:2:10: step 4294967295 is not within -2^31 to 2^31 - 1"},
        {"LOOP 3\nAiM MAC_ABK 8 1 16382 row+=1\nEND",
         "x.aim:2:23: row 16384 is above 16383 in the loop's last iteration"},
        {"LOOP 3\nAiM MAC_ABK 8 1 1 row+=-1\nEND",
         "x.aim:2:19: row -1 is below 0 in the loop's last iteration"},
        {"LOOP 9\nAiM MAC_ABK 8 1 1 gb=0 col+=8\nEND",
         "x.aim:2:24: col 64 is above 63 in the loop's last iteration"},
        {"LOOP 4\nAiM MAC_ABK 8 1 1 col+=8\nEND",
         "x.aim:2:19: the column moves: write gb= too, the entry it starts from (and gb+= if it "
         "moves)"},
        {"LOOP 65536\nLOOP 65537\nAiM SYNC\nEND\nEND",
         "x.aim:2:6: the program unrolls to more than 4294967296 instructions"},
        {"LOOP 65536\nLOOP 65536\nAiM SYNC\nAiM SYNC\nEND\nEND",
         "x.aim:4:1: the program unrolls to more than 4294967296 instructions"},
    };
    for (const auto& [text, message] : cases) EXPECT_EQ(error_of(text), message) << text;
}

TEST(TextReader, a_name_that_begins_or_ends_like_another_is_unknown) {
    for (const char* line : {"AiM MAC_ABKX 8 1 2", "AiM xCOPY_BKGB 8 1 3 2", "W MEMX 1 2 3",
                             "X MEM 1 2 3", "AiMEOC", "AiM  ", "WGPR 3", "AiM_EOC", "LOOPS 3"}) {
        EXPECT_NE(error_of(line).find("unknown instruction"), std::string::npos) << line;
    }
}

TEST(TextReader, loops_nest_sixteen_deep) {
    std::string text;
    for (int i = 0; i < 16; ++i) text += "LOOP 2\n";
    std::string ends = "AiM SYNC\n";
    for (int i = 0; i < 16; ++i) ends += "END\n";
    EXPECT_EQ(read(text + ends).unrolled_count(), 65536u);
    EXPECT_EQ(error_of(text + "LOOP 2\n" + ends), "x.aim:17:6: loops nest deeper than 16 levels");
}

}  // namespace
}  // namespace memside::pim
