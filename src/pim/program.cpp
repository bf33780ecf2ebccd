#include "pim/program.h"

#include <algorithm>
#include <cassert>

namespace memside::pim {
namespace {

template <typename T>
void add(T& operand, std::int64_t amount) {
    operand = static_cast<T>(static_cast<std::int64_t>(operand) + amount);
}

void apply(Instruction& instruction, Stride::Operand operand, std::int64_t amount) {
    switch (operand) {
        case Stride::Operand::row:
            return add(instruction.row, amount);
        case Stride::Operand::column:
            return add(instruction.column, amount);
        case Stride::Operand::gbuf:
            return add(instruction.gbuf, amount);
        case Stride::Operand::gpr:
            return add(instruction.gpr, amount);
        case Stride::Operand::out:
            return add(instruction.out, amount);
    }
}

}  // namespace

std::uint64_t Program::unrolled_count() const {
    std::uint64_t count = 0;
    std::uint64_t repeats = 1;
    std::vector<const Loop*> open;
    auto loop = loops.begin();
    for (std::uint32_t i = 0; i < instructions.size(); ++i) {
        while (!open.empty() && open.back()->last <= i) {
            repeats /= open.back()->count;
            open.pop_back();
        }
        for (; loop != loops.end() && loop->first == i; ++loop) {
            repeats *= loop->count;
            open.push_back(&*loop);
        }
        count += repeats;
    }
    return count;
}

Cursor::Cursor(const Program& program) : program_(&program), iterations_(program.loops.size(), 0) {
    first_stride_.assign(program.instructions.size() + 1, 0);
    for (const Stride& stride : program.strides) ++first_stride_[stride.instruction + 1];
    for (std::size_t i = 1; i < first_stride_.size(); ++i) first_stride_[i] += first_stride_[i - 1];
    enter_loops();
    load();
}

void Cursor::enter_loops() {
    const std::vector<Loop>& loops = program_->loops;
    while (next_loop_ < loops.size() && loops[next_loop_].first == position_) {
        iterations_[next_loop_] = 0;
        active_.push_back({next_loop_, 0});
        ++next_loop_;
    }
}

void Cursor::load() {
    if (done()) return;
    current_ = program_->instructions[position_];
    for (std::uint32_t i = first_stride_[position_]; i < first_stride_[position_ + 1]; ++i) {
        const Stride& stride = program_->strides[i];
        apply(current_, stride.operand,
              static_cast<std::int64_t>(stride.step) * iterations_[stride.loop]);
    }
}

void Cursor::next() {
    assert(!done());
    ++position_;
    while (!active_.empty() && program_->loops[active_.back().loop].last == position_) {
        Active& innermost = active_.back();
        const Loop& loop = program_->loops[innermost.loop];
        if (++innermost.iteration < loop.count) {
            iterations_[innermost.loop] = innermost.iteration;
            position_ = loop.first;
            next_loop_ = innermost.loop + 1;
            break;
        }
        active_.pop_back();
    }
    enter_loops();
    load();
}

}  // namespace memside::pim
