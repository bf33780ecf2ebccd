// Generated kernels equal the reference, byte for byte.
#include <rapidcheck/gtest.h>

#include <thread>

#include "codegen/kernel_run.h"
#include "codegen/opened.h"

namespace memside::codegen {
namespace {

using conv::ConvProblem;
using conv::Schedule;
using conv::Target;

void expect_equal(const ConvProblem& problem, Target target, const Schedule& schedule) {
    const auto plan = conv::make_plan(problem, target, schedule);
    RC_LOG() << conv::format_shape(problem.shape) << '\n'
             << conv::format_schedule(plan.value().schedule) << '\n';
    const auto kernel = compiler().compile(problem, target, schedule);
    RC_ASSERT(kernel.ok());
    const auto operands = conv::random_operands(problem, *rc::gen::arbitrary<std::uint64_t>());
    const std::vector<std::int64_t> splits = *rc::gen::container<std::vector<std::int64_t>>(
        2, rc::gen::inRange<std::int64_t>(0, plan.value().tasks() + 1));
    const auto at = *rc::gen::element(Guarded::At::begin, Guarded::At::end);
    RC_ASSERT(run_kernel(kernel.value().function(), plan.value(), operands, splits, at) ==
              conv::convolve_reference(problem, operands.input, operands.weights,
                                       operands.requantisation));
}

// Any problem, any valid schedule.
void expect_equal(Target target) {
    if (!runs_here(target)) return;
    const ConvProblem problem = conv::random_problem();
    const Schedule schedule = conv::random_schedule();
    RC_PRE(conv::check(problem, "").ok());
    RC_PRE(conv::valid(problem, target, schedule).ok());
    expect_equal(problem, target, schedule);
}

RC_GTEST_PROP(ConvKernel, vnni_equals_the_reference, ()) {
    expect_equal(Target::x86_vnni);
}

RC_GTEST_PROP(ConvKernel, avx2_equals_the_reference, ()) {
    expect_equal(Target::x86_avx2);
}

// Tiles that leave out what is outside the image: borders, and zero points that allow it.
void expect_equal_at_borders(Target target) {
    if (!runs_here(target)) return;
    ConvProblem problem = conv::random_problem();
    problem.shape.pad = *rc::gen::inRange<std::int64_t>(1, 5);
    problem.input_zero_point = 0;
    if (target == Target::x86_vnni && problem.input == conv::ByteType::s8) {
        problem.input_zero_point = -128;
    }
    RC_PRE(conv::check(problem, "").ok());
    Schedule schedule = conv::random_schedule();
    schedule.reuse = 1;
    if (*rc::gen::arbitrary<bool>()) {
        schedule.pixels = static_cast<std::int32_t>(problem.shape.out_w());
    }
    RC_PRE(conv::valid(problem, target, schedule).ok());
    RC_PRE(conv::make_plan(problem, target, schedule).value().skips_rows);
    expect_equal(problem, target, schedule);
}

RC_GTEST_PROP(ConvKernel, vnni_leaves_out_what_is_outside, ()) {
    expect_equal_at_borders(Target::x86_vnni);
}

RC_GTEST_PROP(ConvKernel, avx2_leaves_out_what_is_outside, ()) {
    expect_equal_at_borders(Target::x86_avx2);
}

// Operands at the ends of their ranges: sums of 65,790 products of 255 and -128 nearly fill 32
// bits.
TEST(ConvKernel, the_largest_sums_are_exact) {
    for (const Target target : {Target::x86_vnni, Target::x86_avx2}) {
        if (!runs_here(target)) continue;
        for (const auto weight : {conv::WeightType::s8, conv::WeightType::s4}) {
            ConvProblem problem;
            problem.shape = conv::parse_shape("1,7310,3,3,16,3,3,1,0", "").value();
            problem.weight = weight;
            problem.relu = false;
            problem.output = conv::ByteType::s8;
            conv::ConvOperands operands = conv::random_operands(problem, 1);
            std::fill(operands.input.begin(), operands.input.end(), std::uint8_t{255});
            const std::int8_t low = weight == conv::WeightType::s8 ? -128 : -8;
            std::fill(operands.weights.begin(), operands.weights.end(), low);
            for (std::size_t k = 0; k < 16; ++k) {
                operands.requantisation.bias[k] = static_cast<std::int32_t>(k);
                operands.requantisation.multiplier[k] = 1 << 30;
                operands.requantisation.shift[k] = 53;
            }
            const Schedule schedule = conv::parse_schedule(
                                          "tile_rows=1 tile_blocks=1 pixels=1 vectors=1 chunk=8 "
                                          "channel_outer=0 packed=0 tiled=0 reuse=1",
                                          "")
                                          .value();
            const auto kernel = compiler().compile(problem, target, schedule);
            ASSERT_TRUE(kernel.ok());
            const auto plan = conv::make_plan(problem, target, schedule);
            EXPECT_EQ(run_kernel(kernel.value().function(), plan.value(), operands),
                      conv::convolve_reference(problem, operands.input, operands.weights,
                                               operands.requantisation));
        }
    }
}

TEST(ConvKernel, threads_share_the_tasks_of_one_call) {
    if (!runs_here(Target::x86_vnni)) GTEST_SKIP() << "no AVX-512 VNNI";
    ConvProblem problem;
    problem.shape = conv::parse_shape("2,64,14,14,128,3,3,1,1", "").value();
    const Schedule schedule = conv::parse_schedule(
                                  "tile_rows=2 tile_blocks=2 pixels=6 vectors=2 chunk=4 "
                                  "channel_outer=1 packed=1 tiled=1 reuse=1",
                                  "")
                                  .value();
    const auto plan = conv::make_plan(problem, Target::x86_vnni, schedule).value();
    const auto kernel = compiler().compile(problem, Target::x86_vnni, schedule);
    ASSERT_TRUE(kernel.ok());
    const auto operands = conv::random_operands(problem, 7);
    const auto input = conv::to_layout(operands.input, conv::Layout::tiled, 2, 14, 14, 64);
    const auto weights = conv::pack_weights(plan, operands.weights);
    const auto tables = conv::pack_tables(plan, operands.weights, operands.requantisation);
    std::vector<std::uint8_t> output(
        static_cast<std::size_t>(conv::output_bytes(problem.shape, conv::Layout::tiled)));
    constexpr std::int64_t parts = 4;
    std::vector<std::thread> threads;
    for (std::int64_t part = 0; part < parts; ++part) {
        threads.emplace_back([&, part] {
            Guarded scratch(static_cast<std::size_t>(plan.scratch_bytes()), 0, Guarded::At::end);
            kernel.value().function()(input.data(), weights.data(), tables.data(), output.data(),
                                      scratch.data(), plan.tasks() * part / parts,
                                      plan.tasks() * (part + 1) / parts);
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(conv::from_layout(output, conv::Layout::tiled, 2, 14, 14, 128),
              conv::convolve_reference(problem, operands.input, operands.weights,
                                       operands.requantisation));
}

}  // namespace
}  // namespace memside::codegen
