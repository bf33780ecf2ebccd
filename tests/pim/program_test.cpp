#include "pim/program.h"

namespace memside::pim {
namespace {

// Unrolls by recursion over the text of the loops, without the cursor's bookkeeping.
void unroll(const Program& program, std::uint32_t from, std::uint32_t to, std::size_t loop,
            std::vector<std::uint32_t>& iterations, std::vector<Instruction>& out) {
    std::uint32_t i = from;
    while (i < to) {
        while (loop < program.loops.size() && program.loops[loop].first < i) ++loop;
        if (loop < program.loops.size() && program.loops[loop].first == i) {
            const Loop& body = program.loops[loop];
            for (std::uint32_t k = 0; k < body.count; ++k) {
                iterations[loop] = k;
                unroll(program, body.first, body.last, loop + 1, iterations, out);
            }
            i = body.last;
            continue;
        }
        Instruction instruction = program.instructions[i];
        for (const Stride& stride : program.strides) {
            if (stride.instruction != i) continue;
            EXPECT_EQ(stride.operand, Stride::Operand::row);
            instruction.row += static_cast<std::uint32_t>(stride.step) * iterations[stride.loop];
        }
        out.push_back(instruction);
        ++i;
    }
}

Instruction mac(std::uint32_t row) {
    return {.opcode = Opcode::mac_abk, .opsize = 8, .mask = 1, .row = row};
}

TEST(Program, a_cursor_unrolls_nested_loops_and_applies_their_strides) {
    const Program program{.instructions = {mac(0), mac(1), mac(2), mac(3), mac(4)},
                          .loops = {{0, 4, 3}, {0, 1, 2}, {1, 3, 2}, {4, 5, 2}},
                          .strides = {{0, 0, Stride::Operand::row, 100},
                                      {0, 1, Stride::Operand::row, 10},
                                      {2, 2, Stride::Operand::row, 7},
                                      {4, 3, Stride::Operand::row, -1}}};
    std::vector<Instruction> expected;
    std::vector<std::uint32_t> iterations(program.loops.size(), 0);
    unroll(program, 0, 5, 0, iterations, expected);
    std::vector<Instruction> seen;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) seen.push_back(*cursor);
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(program.unrolled_count(), expected.size());
    EXPECT_EQ(expected.size(), 3u * (2 + 4 + 1) + 2);
}

TEST(Program, without_loops_a_cursor_walks_over_the_instructions) {
    const Program program{.instructions = {mac(5), mac(6)}, .loops = {}, .strides = {}};
    std::vector<Instruction> seen;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) seen.push_back(*cursor);
    EXPECT_EQ(seen, program.instructions);
    EXPECT_EQ(program.unrolled_count(), 2u);
}

TEST(Program, an_empty_program_is_done_at_once) {
    const Program program;
    EXPECT_TRUE(Cursor(program).done());
    EXPECT_EQ(program.unrolled_count(), 0u);
}

}  // namespace
}  // namespace memside::pim
