// A program in the order of its text: what the writers share.
#pragma once

#include <vector>

#include "pim/program.h"

namespace memside::pim {

// A stride as the text has it: depth 1 is the innermost loop around the instruction.
struct DepthStride {
    Stride::Operand operand = Stride::Operand::row;
    std::uint32_t depth = 1;
    std::int32_t step = 0;
};

// Calls begin_loop(count), end_loop() and visit(index, strides) once for each loop and instruction,
// not unrolled. Loops must nest and strides be sorted and inside their loops.
template <typename BeginLoop, typename EndLoop, typename Visit>
void walk(const Program& program, const BeginLoop& begin_loop, const EndLoop& end_loop,
          const Visit& visit) {
    std::vector<std::uint32_t> open;
    std::vector<DepthStride> strides;
    std::size_t next_loop = 0;
    auto stride = program.strides.begin();
    for (std::size_t i = 0; i < program.instructions.size(); ++i) {
        while (next_loop < program.loops.size() && program.loops[next_loop].first == i) {
            open.push_back(static_cast<std::uint32_t>(next_loop));
            begin_loop(program.loops[next_loop++].count);
        }
        strides.clear();
        for (; stride != program.strides.end() && stride->instruction == i; ++stride) {
            std::uint32_t depth = 1;
            while (open[open.size() - depth] != stride->loop) ++depth;
            strides.push_back({stride->operand, depth, stride->step});
        }
        visit(i, strides);
        while (!open.empty() && program.loops[open.back()].last == i + 1) {
            open.pop_back();
            end_loop();
        }
    }
}

}  // namespace memside::pim
