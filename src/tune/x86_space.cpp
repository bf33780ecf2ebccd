#include "tune/x86_space.h"

#include <cmath>

namespace memside::tune {
namespace {

double ratio(std::int64_t a, std::int64_t b) {
    return static_cast<double>(a) / static_cast<double>(b);
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

// What is known of a plan without running it. Sizes span decades: they stand as logarithms.
struct Analysis {
    double accumulators;  // vector registers that hold sums
    double loads;         // of weights and broadcasts, per vpdpbusd
    double steps;         // broadcasts of a task's register tile, all nests
    double bodies;        // unrolled bodies among them
    double row_use;       // share of tile pixels that are output pixels
    double channel_use;   // share of vector lanes that are output channels
    double tasks;
    double thread_use;  // share of threads' time with a task, if tasks take equal time
    double scratch_bytes;
    double block_weights;  // bytes of weights that a register tile walks over
    double task_weights;   // and a task
    double task_input;     // bytes of input rows that a task reads
    double copies;         // bytes copied per byte of output
};

Analysis analyse(const conv::ConvPlan& plan, int threads) {
    const conv::ConvShape& shape = plan.problem.shape;
    const conv::Schedule& s = plan.schedule;
    Analysis a{};
    const double pixels = ratio(plan.tile_height * plan.tile_width, 1);
    a.accumulators = pixels * s.vectors;
    a.loads = 1.0 / pixels + 1.0 / s.vectors;
    for (const conv::ReductionNest& nest : plan.nests) {
        double runs = 1;
        for (const conv::ReductionLoop& loop : nest.loops) runs *= ratio(loop.trips, 1);
        a.steps += runs * ratio(nest.steps, 1);
        a.bodies += runs * ratio(divide_up(nest.steps, s.chunk), 1);
    }
    const std::int64_t rows = std::min<std::int64_t>(s.tile_rows, shape.out_h());
    const std::int64_t wide =
        plan.flat ? divide_up(rows * shape.out_w(), plan.tile_width) * plan.tile_width
                  : divide_up(rows, plan.tile_height) * plan.tile_height *
                        divide_up(shape.out_w(), plan.tile_width) * plan.tile_width;
    a.row_use = ratio(rows * shape.out_w(), wide);
    a.channel_use = ratio(shape.k, plan.vectors() * conv::traits(plan.target).lanes);
    a.tasks = ratio(plan.tasks(), 1);
    a.thread_use = ratio(plan.tasks(), divide_up(plan.tasks(), threads) * threads);
    a.scratch_bytes = ratio(plan.scratch_bytes(), 1);
    a.block_weights = ratio(plan.block_weight_bytes, 1);
    a.task_weights = a.block_weights * s.tile_blocks;
    const std::int64_t input_rows = (rows - 1) * shape.stride + shape.dilation * (shape.r - 1) + 1;
    a.task_input = ratio(input_rows * shape.w * shape.c, 1);
    a.copies = a.scratch_bytes / ratio(rows * shape.out_w() * shape.k, plan.channel_tasks);
    return a;
}

}  // namespace

X86Space::X86Space(const conv::ConvProblem& problem, conv::Target target, int threads)
    : problem_(problem),
      target_(target),
      threads_(threads),
      space_(problem, target),
      values_(conv::knob_count) {
    for (const conv::Schedule& schedule : space_.points()) {
        const conv::KnobVector knobs = schedule.knobs();
        for (std::size_t k = 0; k < conv::knob_count; ++k) values_[k].push_back(knobs[k]);
    }
    for (std::size_t k = 0; k < conv::knob_count; ++k) {
        std::vector<std::int32_t>& list = values_[k];
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
        Knob knob{std::string(conv::schedule_knobs()[k].name), {}};
        for (const std::int32_t value : list) knob.values.push_back(fmt::format("{}", value));
        knobs_.push_back(std::move(knob));
    }
}

conv::Schedule X86Space::schedule(const Point& point) const {
    conv::KnobVector knobs{};
    for (std::size_t k = 0; k < conv::knob_count; ++k) knobs[k] = values_[k][point[k]];
    return conv::Schedule::from(knobs);
}

Point X86Space::canonical(const Point& point) const {
    const std::int64_t index = space_.index(schedule(point));
    if (index < 0) return point;  // it stands for itself, and is not valid
    const conv::KnobVector knobs = space_.points()[static_cast<std::size_t>(index)].knobs();
    Point same(conv::knob_count);
    for (std::size_t k = 0; k < conv::knob_count; ++k) {
        const auto found = std::lower_bound(values_[k].begin(), values_[k].end(), knobs[k]);
        same[k] = static_cast<std::uint8_t>(found - values_[k].begin());
    }
    return same;
}

std::string X86Space::why_invalid(const Point& point) const {
    if (space_.index(schedule(point)) >= 0) return "";
    const Status status = conv::valid(problem_, target_, schedule(point));
    return status.ok() ? "no values of the knobs give it" : status.error().message();
}

std::vector<std::string> X86Space::feature_names() const {
    return {"accumulators", "loads",      "steps",      "bodies",        "row_use",
            "channel_use",  "tasks",      "thread_use", "scratch_bytes", "block_weights",
            "task_weights", "task_input", "copies"};
}

std::vector<float> X86Space::features(const Point& point) const {
    const auto plan = conv::make_plan(problem_, target_, schedule(point));
    const Analysis a = analyse(plan.value(), threads_);
    std::vector<float> list;
    for (const double value : {a.accumulators, a.loads}) list.push_back(static_cast<float>(value));
    for (const double value : {a.steps, a.bodies}) {
        list.push_back(static_cast<float>(std::log2(1 + value)));
    }
    for (const double value : {a.row_use, a.channel_use}) {
        list.push_back(static_cast<float>(value));
    }
    list.push_back(static_cast<float>(std::log2(1 + a.tasks)));
    list.push_back(static_cast<float>(a.thread_use));
    for (const double value :
         {a.scratch_bytes, a.block_weights, a.task_weights, a.task_input, a.copies}) {
        list.push_back(static_cast<float>(std::log2(1 + value)));
    }
    return list;
}

}  // namespace memside::tune
