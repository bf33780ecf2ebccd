// Random convolutions and schedules, and a generated kernel run on one.
#pragma once

#include <rapidcheck.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "codegen/conv_compiler.h"
#include "conv/conv_plan.h"

namespace memside::codegen {

// Small enough for the reference, wide enough for every branch of the generator: channels around
// the lanes and tiles of both targets, kernels of unequal sides, borders wider than the image.
inline conv::ConvProblem random_problem() {
    using rc::gen::element;
    using rc::gen::inRange;
    conv::ConvProblem problem;
    conv::ConvShape& shape = problem.shape;
    shape.n = *inRange<std::int64_t>(1, 3);
    shape.c = *element<std::int64_t>(1, 2, 3, 4, 5, 8, 13, 16, 31, 64, 66, 128);
    shape.k = *element<std::int64_t>(1, 3, 8, 16, 17, 24, 32, 48, 64, 70, 80, 128);
    shape.r = *inRange<std::int64_t>(1, 5);
    shape.s = *inRange<std::int64_t>(1, 5);
    shape.stride = *element<std::int64_t>(1, 1, 2, 3);
    shape.dilation = *element<std::int64_t>(1, 1, 1, 2, 3);
    shape.pad = *element<std::int64_t>(0, 0, 1, 2, 4);
    const auto smallest = [&](std::int64_t kernel) {
        return std::max<std::int64_t>(1, shape.dilation * (kernel - 1) + 1 - 2 * shape.pad);
    };
    shape.h = smallest(shape.r) + *inRange<std::int64_t>(0, 10);
    shape.w = smallest(shape.s) + *inRange<std::int64_t>(0, 16);
    // A third are pointwise: the generator has a form of its own for them.
    if (*inRange(0, 3) == 0) shape.r = shape.s = shape.stride = shape.dilation = 1;
    problem.input = *element(conv::ByteType::u8, conv::ByteType::s8);
    problem.weight = *element(conv::WeightType::s8, conv::WeightType::s4);
    problem.output = *element(conv::ByteType::u8, conv::ByteType::s8);
    problem.relu = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) {
        problem.input_zero_point =
            *inRange(conv::lowest(problem.input), conv::highest(problem.input) + 1);
        problem.output_zero_point =
            *inRange(conv::lowest(problem.output), conv::highest(problem.output) + 1);
    }
    return problem;
}

// Any point of the knobs' values, valid or not.
inline conv::Schedule random_schedule() {
    conv::KnobVector values{};
    const auto knobs = conv::schedule_knobs();
    for (std::size_t i = 0; i < conv::knob_count; ++i) {
        values[i] = *rc::gen::elementOf(
            std::vector<std::int32_t>(knobs[i].values.begin(), knobs[i].values.end()));
    }
    return conv::Schedule::from(values);
}

// Bytes between two guards, aligned to 64 as kernels expect.
class Guarded {
  public:
    Guarded(std::size_t size, std::uint8_t filling) : size_(size) {
        const std::size_t whole = (size + 3 * guard - 1) / guard * guard;
        memory_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(guard, whole)));
        std::fill_n(memory_.get(), whole, mark);
        std::fill_n(data(), size, filling);
    }
    explicit Guarded(const std::vector<std::uint8_t>& bytes) : Guarded(bytes.size(), 0) {
        std::copy(bytes.begin(), bytes.end(), data());
    }

    std::uint8_t* data() { return memory_.get() + guard; }
    std::vector<std::uint8_t> bytes() { return {data(), data() + size_}; }
    bool intact() {
        for (std::size_t i = 0; i < guard; ++i) {
            if (memory_.get()[i] != mark || data()[size_ + i] != mark) return false;
        }
        return true;
    }

  private:
    static constexpr std::size_t guard = 64;
    static constexpr std::uint8_t mark = 0xA5;
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };
    std::size_t size_;
    std::unique_ptr<std::uint8_t, Free> memory_;
};

// The output of a kernel in plain layout. The tasks are run in the parts that `splits` cuts them
// into, last part first, each with scratch of its own.
inline std::vector<std::uint8_t> run_kernel(ConvKernel kernel, const conv::ConvPlan& plan,
                                            const conv::ConvOperands& operands,
                                            std::vector<std::int64_t> splits = {}) {
    const conv::ConvShape& shape = plan.problem.shape;
    const conv::Layout layout = plan.schedule.layout();
    Guarded input(conv::to_layout(operands.input, layout, shape.n, shape.h, shape.w, shape.c));
    Guarded weights(conv::pack_weights(plan, operands.weights));
    auto tables = conv::pack_tables(plan, operands.weights, operands.requantisation);
    Guarded output(static_cast<std::size_t>(conv::output_bytes(shape, layout)), 0x5B);
    splits.push_back(plan.tasks());
    std::sort(splits.begin(), splits.end());
    for (std::size_t part = splits.size(); part-- > 0;) {
        // Garbage in the scratch must not matter.
        Guarded scratch(static_cast<std::size_t>(plan.scratch_bytes()),
                        static_cast<std::uint8_t>(17 * part + 0xC3));
        kernel(input.data(), weights.data(), tables.data(), output.data(), scratch.data(),
               part == 0 ? 0 : splits[part - 1], splits[part]);
        RC_ASSERT(scratch.intact());
    }
    RC_ASSERT(output.intact());
    return conv::from_layout(output.bytes(), layout, shape.n, shape.out_h(), shape.out_w(),
                             shape.k);
}

}  // namespace memside::codegen
