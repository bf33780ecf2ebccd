#include "pim/kernels/kernel_writer.h"

namespace memside::pim {
namespace {

using Operand = Stride::Operand;

std::vector<Instruction> unrolled(const Program& program) {
    std::vector<Instruction> all;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) all.push_back(*cursor);
    return all;
}

TEST(KernelWriter, loops_unroll_to_what_nested_loops_say) {
    for (std::uint32_t outer = 0; outer <= 3; ++outer) {
        for (std::uint32_t inner = 0; inner <= 3; ++inner) {
            KernelWriter writer;
            writer.loop(outer, [&](KernelWriter::LoopId row) {
                writer.add({.opcode = Opcode::wr_bias, .mask = 1}, {{row, Operand::gpr, 3}});
                writer.loop(inner, [&](KernelWriter::LoopId column) {
                    writer.add({.opcode = Opcode::mac_abk, .mask = 1, .row = 7},
                               {{row, Operand::row, 1}, {column, Operand::column, 8}});
                });
            });
            std::vector<Instruction> expected;
            for (std::uint32_t r = 0; r < outer; ++r) {
                expected.push_back({.opcode = Opcode::wr_bias, .mask = 1, .gpr = 3 * r});
                for (std::uint32_t c = 0; c < inner; ++c) {
                    expected.push_back({.opcode = Opcode::mac_abk,
                                        .column = static_cast<std::uint16_t>(8 * c),
                                        .mask = 1,
                                        .row = 7 + r});
                }
            }
            expected.push_back({.opcode = Opcode::eoc});
            const Program program = std::move(writer).finish();
            EXPECT_EQ(unrolled(program), expected) << outer << " x " << inner;
            for (const Loop& loop : program.loops) EXPECT_GT(loop.count, 1u);
        }
    }
}

}  // namespace
}  // namespace memside::pim
