// Random convolutions and schedules for tests.
#pragma once

#include <rapidcheck.h>

#include <vector>

#include "conv/conv_problem.h"
#include "conv/schedule.h"

namespace memside::conv {

// Small enough for the reference, wide enough for every branch of the plans: channels around the
// lanes and tiles of both targets, kernels of unequal sides, borders wider than the image.
inline ConvProblem random_problem() {
    using rc::gen::element;
    using rc::gen::inRange;
    ConvProblem problem;
    ConvShape& shape = problem.shape;
    shape.n = *inRange<std::int64_t>(1, 3);
    shape.c = *element<std::int64_t>(1, 2, 3, 4, 5, 8, 13, 16, 31, 64, 66, 128);
    shape.k = *element<std::int64_t>(1, 3, 8, 16, 17, 24, 32, 48, 64, 70, 80, 128);
    shape.r = *inRange<std::int64_t>(1, 5);
    shape.s = *inRange<std::int64_t>(1, 5);
    shape.stride = *element<std::int64_t>(1, 1, 2, 3);
    shape.dilation = *element<std::int64_t>(1, 1, 1, 2, 3);
    shape.pad = *element<std::int64_t>(0, 0, 1, 2, 4);
    // A third are pointwise: they have a form of their own.
    if (*inRange(0, 3) == 0) shape.r = shape.s = shape.stride = shape.dilation = 1;
    const auto smallest = [&](std::int64_t kernel) {
        return std::max<std::int64_t>(1, shape.dilation * (kernel - 1) + 1 - 2 * shape.pad);
    };
    shape.h = smallest(shape.r) + *inRange<std::int64_t>(0, 10);
    shape.w = smallest(shape.s) + *inRange<std::int64_t>(0, 16);
    problem.input = *element(ByteType::u8, ByteType::s8);
    problem.weight = *element(WeightType::s8, WeightType::s4);
    problem.output = *element(ByteType::u8, ByteType::s8);
    problem.relu = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) {
        problem.input_zero_point = *inRange(lowest(problem.input), highest(problem.input) + 1);
        problem.output_zero_point = *inRange(lowest(problem.output), highest(problem.output) + 1);
    }
    return problem;
}

// Any point of the knobs' values, valid or not.
inline Schedule random_schedule() {
    KnobVector values{};
    const auto knobs = schedule_knobs();
    for (std::size_t i = 0; i < knob_count; ++i) {
        values[i] = *rc::gen::elementOf(
            std::vector<std::int32_t>(knobs[i].values.begin(), knobs[i].values.end()));
    }
    return Schedule::from(values);
}

inline Target random_target() {
    return *rc::gen::element(Target::x86_vnni, Target::x86_avx2);
}

}  // namespace memside::conv
