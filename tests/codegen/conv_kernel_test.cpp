// Generated kernels equal the reference, byte for byte.
#include <rapidcheck/gtest.h>

#include "codegen/kernel_run.h"

namespace memside::codegen {
namespace {

using conv::ConvProblem;
using conv::Schedule;
using conv::Target;

const ConvCompiler& compiler() {
    static const Result<ConvCompiler> opened = ConvCompiler::open();
    if (!opened.ok()) throw std::runtime_error(opened.error().message());
    return opened.value();
}

void expect_equal(Target target) {
    if (!runs_here(target)) return;
    const ConvProblem problem = conv::random_problem();
    const Schedule schedule = conv::random_schedule();
    RC_PRE(conv::check(problem, "").ok());
    RC_PRE(conv::valid(problem, target, schedule).ok());
    const auto plan = conv::make_plan(problem, target, schedule);
    RC_LOG() << conv::format_shape(problem.shape) << '\n'
             << conv::format_schedule(plan.value().schedule) << '\n';
    const auto kernel = compiler().compile(problem, target, schedule);
    RC_ASSERT(kernel.ok());
    const auto operands = conv::random_operands(problem, *rc::gen::arbitrary<std::uint64_t>());
    const std::vector<std::int64_t> splits = *rc::gen::container<std::vector<std::int64_t>>(
        2, rc::gen::inRange<std::int64_t>(0, plan.value().tasks() + 1));
    RC_ASSERT(run_kernel(kernel.value().function(), plan.value(), operands, splits) ==
              conv::convolve_reference(problem, operands.input, operands.weights,
                                       operands.requantisation));
}

RC_GTEST_PROP(ConvKernel, vnni_equals_the_reference, ()) {
    expect_equal(Target::x86_vnni);
}

RC_GTEST_PROP(ConvKernel, avx2_equals_the_reference, ()) {
    expect_equal(Target::x86_avx2);
}

}  // namespace
}  // namespace memside::codegen
