#include "pim/kernels/kernel_writer.h"

#include <cassert>

namespace memside::pim {

void KernelWriter::add(const Instruction& instruction, std::initializer_list<Step> steps) {
    const auto index = static_cast<std::uint32_t>(program_.instructions.size());
    for (const Step& step : steps) {
        if (step.loop == no_loop || step.step == 0) continue;
        assert(step.step == static_cast<std::int32_t>(step.step));
        program_.strides.push_back(
            {index, step.loop, step.operand, static_cast<std::int32_t>(step.step)});
    }
    program_.instructions.push_back(instruction);
}

Program KernelWriter::finish() && {
    add({.opcode = Opcode::eoc});
    return std::move(program_);
}

KernelWriter::LoopId KernelWriter::open(std::uint32_t count) {
    const auto here = static_cast<std::uint32_t>(program_.instructions.size());
    program_.loops.push_back({here, here, count});
    return static_cast<LoopId>(program_.loops.size() - 1);
}

void KernelWriter::close(LoopId id) {
    Loop& loop = program_.loops[id];
    loop.last = static_cast<std::uint32_t>(program_.instructions.size());
    assert(loop.last > loop.first);
}

}  // namespace memside::pim
