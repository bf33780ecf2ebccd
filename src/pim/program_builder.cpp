#include "pim/program_builder.h"

#include <cassert>

#include "pim/program_walk.h"

namespace memside::pim {

std::string_view stride_name(Stride::Operand operand) {
    static constexpr std::array<std::string_view, stride_operand_count> names{"row", "col", "gb",
                                                                              "gpr", "out"};
    return names[static_cast<std::size_t>(operand)];
}

ProgramBuilder::Problem ProgramBuilder::too_long() {
    return fmt::format("the program unrolls to more than {} instructions", max_unrolled);
}

ProgramBuilder::Problem ProgramBuilder::begin_loop(std::uint64_t count) {
    if (count == 0) return "a loop of 0 iterations; allowed: 1 and more";
    if (open_.size() == max_loop_depth) {
        return fmt::format("loops nest deeper than {} levels", max_loop_depth);
    }
    if (count > max_unrolled / repeats_ || count > UINT32_MAX) return too_long();
    repeats_ *= count;
    open_.push_back(static_cast<std::uint32_t>(program_.loops.size()));
    const auto first = static_cast<std::uint32_t>(program_.instructions.size());
    program_.loops.push_back({first, first, static_cast<std::uint32_t>(count)});
    return std::nullopt;
}

ProgramBuilder::Problem ProgramBuilder::end_loop() {
    if (open_.empty()) return "END without LOOP";
    Loop& loop = program_.loops[open_.back()];
    loop.last = static_cast<std::uint32_t>(program_.instructions.size());
    if (loop.last == loop.first) return "the loop has no instruction";
    repeats_ /= loop.count;
    open_.pop_back();
    return std::nullopt;
}

ProgramBuilder::Problem ProgramBuilder::stride(Stride::Operand operand, std::uint64_t depth,
                                               std::int64_t step) {
    assert(!program_.instructions.empty());
    const Instruction& instruction = program_.instructions.back();
    const auto index = static_cast<std::size_t>(operand);
    const Field field = stride_fields[index];
    if (!info(instruction.opcode).has(field)) {
        return fmt::format("{} has no {} to step", info(instruction.opcode).name,
                           stride_name(operand));
    }
    if (depth < 1 || depth > open_.size()) {
        return open_.empty()
                   ? "a stride outside of any loop"
                   : fmt::format("a stride of loop @{}, but {} are open here", depth, open_.size());
    }
    if (step < INT32_MIN || step > INT32_MAX) {
        return fmt::format("step {} is not within -2^31 to 2^31 - 1", step);
    }
    if (operand == Stride::Operand::column && info(instruction.opcode).has(Field::gbuf) &&
        (instruction.written & optional_gbuf) == 0) {
        return "the column moves: write gb= too, the entry it starts from (and gb+= if it moves)";
    }
    if (!strided_) reach_.fill({});
    strided_ = true;
    Reach& reach = reach_[index];
    const std::uint32_t bit = 1U << depth;
    if ((reach.loops & bit) != 0) {
        return fmt::format("{}+= of loop @{} is given twice", stride_name(operand), depth);
    }
    reach.loops |= bit;
    const std::uint32_t loop = open_[open_.size() - depth];
    const std::int64_t most = step * (std::int64_t{program_.loops[loop].count} - 1);
    (most < 0 ? reach.low : reach.high) += most;
    const std::int64_t start = get(instruction, field);
    for (const std::int64_t end : {start + reach.low, start + reach.high}) {
        if (const auto fault = find_fault(instruction, field, end)) {
            return fmt::format("{} in the loop's last iteration", fault->what);
        }
    }
    const auto last = static_cast<std::uint32_t>(program_.instructions.size() - 1);
    program_.strides.push_back({last, loop, operand, static_cast<std::int32_t>(step)});
    return std::nullopt;
}

Program ProgramBuilder::finish() && {
    assert(open_.empty());
    return std::move(program_);
}

namespace {

// Loops sorted, nested, not empty; strides sorted, and inside their loop.
Status check_structure(const Program& program, const std::string& where) {
    std::vector<const Loop*> open;
    const Loop* before = nullptr;
    for (std::size_t i = 0; i < program.loops.size(); ++i) {
        const Loop& loop = program.loops[i];
        while (!open.empty() && open.back()->last <= loop.first) open.pop_back();
        if (loop.first >= loop.last || loop.last > program.instructions.size() ||
            (before != nullptr && loop.first < before->first) ||
            (!open.empty() && loop.last > open.back()->last)) {
            return bad_input(where, fmt::format("loop {}: instructions {} to {} are no body that "
                                                "nests in the loops before it",
                                                i, loop.first, loop.last));
        }
        open.push_back(&loop);
        before = &loop;
    }
    std::uint32_t last = 0;
    for (const Stride& stride : program.strides) {
        const bool sorted = stride.instruction >= last;
        last = stride.instruction;
        if (!sorted || last >= program.instructions.size() || stride.loop >= program.loops.size() ||
            last < program.loops[stride.loop].first || last >= program.loops[stride.loop].last) {
            return bad_input(where, fmt::format("instruction {}: a stride out of order or of a "
                                                "loop that is not around it",
                                                last));
        }
    }
    return {};
}

}  // namespace

Status validate(const Program& program, const std::string& where) {
    MEMSIDE_CHECK(check_structure(program, where));
    ProgramBuilder builder;
    ProgramBuilder::Problem problem;
    std::size_t at = 0;
    const Program whole = canonical(program);
    walk(
        whole,
        [&](std::uint32_t count) {
            if (!problem) problem = builder.begin_loop(count);
        },
        [&] {
            if (!problem) problem = builder.end_loop();
        },
        [&](std::size_t index, const std::vector<DepthStride>& strides) {
            if (problem) return;
            at = index;
            const auto fault = find_fault(whole.instructions[index]);
            problem = fault ? fault->what : builder.add(whole.instructions[index]);
            for (const DepthStride& stride : strides) {
                if (!problem) problem = builder.stride(stride.operand, stride.depth, stride.step);
            }
        });
    if (!problem) return {};
    return bad_input(where, fmt::format("instruction {}: {}", at, *problem));
}

Program canonical(const Program& program) {
    Program result = program;
    for (Instruction& instruction : result.instructions) instruction = canonical(instruction);
    for (const Stride& stride : result.strides) {
        Instruction& instruction = result.instructions[stride.instruction];
        if (stride.operand == Stride::Operand::column &&
            info(instruction.opcode).has(Field::gbuf)) {
            instruction.written = static_cast<std::uint8_t>(instruction.written | optional_gbuf);
        }
    }
    return result;
}

}  // namespace memside::pim
