#include "conv/conv_plan.h"

namespace memside::conv {
namespace {

using Over = ReductionLoop::Over;

constexpr std::int64_t divide_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}
constexpr std::int64_t round_up(std::int64_t a, std::int64_t b) {
    return divide_up(a, b) * b;
}

// A cache line, and what loops of whole vectors may read beyond a buffer's last element.
constexpr std::int64_t line_bytes = 64;

struct Channels {
    std::int64_t per_block;
    std::int64_t blocks;
};
Channels channels(const ConvShape& shape, const Schedule& schedule) {
    if (schedule.tiled == 0) return {shape.c, 1};
    const std::int64_t tile = channel_tile(shape.c);
    return {tile, divide_up(shape.c, tile)};
}

// Whether the kernel columns of one kernel row follow each other in the buffer, channels inside.
bool row_is_contiguous(const ConvShape& shape, const Schedule& schedule) {
    return channels(shape, schedule).blocks == 1 && (shape.dilation == 1 || shape.s == 1);
}

// Whether the broadcasts of a pixel end with its channels: the last one must not reach beyond the
// input, nor into the next pixel where that is left out.
bool whole_groups(const ConvProblem& problem, Target target, const Schedule& schedule) {
    return channels(problem.shape, schedule).per_block % traits(target).group == 0;
}

bool skips_rows(const ConvProblem& problem, Target target, const Schedule& schedule) {
    return problem.shape.pad > 0 && schedule.reuse != 0 &&
           schedule.pixels <= problem.shape.out_w() && raised_zero_point(problem, target) == 0;
}

bool skips_columns(const ConvProblem& problem, Target target, const Schedule& schedule) {
    return skips_rows(problem, target, schedule) && schedule.pixels == problem.shape.out_w() &&
           whole_groups(problem, target, schedule);
}

InputMode input_mode(const ConvProblem& problem, Target target, const Schedule& schedule) {
    if (schedule.reuse == 0) return InputMode::patches;
    if (skips_columns(problem, target, schedule)) return InputMode::direct;
    return problem.shape.pad == 0 && whole_groups(problem, target, schedule) ? InputMode::direct
                                                                             : InputMode::padded;
}

// Loops that leave something out stay, were it for one trip.
void add_loop(const ConvPlan& plan, ReductionNest& nest, Over over, std::int64_t trips,
              std::int64_t advance, std::int64_t input_step) {
    const bool stays = (over == Over::kernel_row && plan.skips_rows) ||
                       (over == Over::kernel_column && plan.skips_columns);
    if (trips > 1 || stays) nest.loops.push_back({over, trips, advance, input_step});
}

// Kernel rows and columns, then channels.
ReductionNest kernel_outer(const ConvPlan& plan, std::int64_t group) {
    const ConvShape& shape = plan.problem.shape;
    ReductionNest nest{};
    add_loop(plan, nest, Over::kernel_row, shape.r, 1, shape.dilation * plan.row_stride);
    if (row_is_contiguous(shape, plan.schedule) && !plan.skips_columns) {
        nest.run_elements = shape.s * plan.block_channels;
        nest.crosses = true;
    } else {
        add_loop(plan, nest, Over::kernel_column, shape.s, 1, shape.dilation * plan.pixel_stride);
        add_loop(plan, nest, Over::channel_block, plan.channel_blocks, 1, plan.block_stride);
        nest.run_elements = plan.block_channels;
    }
    nest.steps = divide_up(nest.run_elements, group);
    return nest;
}

// Chunks of channels, then kernel rows and columns; a second nest has the channels that are left.
std::vector<ReductionNest> channel_outer(const ConvPlan& plan, std::int64_t group) {
    const ConvShape& shape = plan.problem.shape;
    const std::int64_t steps = divide_up(plan.block_channels, group);
    const std::int64_t chunk = std::min<std::int64_t>(plan.schedule.chunk, steps);
    const std::int64_t chunks = steps / chunk;
    std::vector<ReductionNest> nests;
    const auto add = [&](std::int64_t first, std::int64_t trips, std::int64_t count) {
        if (trips * count == 0) return;
        ReductionNest nest{};
        nest.first_channel = first * group;
        nest.steps = count;
        nest.run_elements = count * group;
        add_loop(plan, nest, Over::channel_block, plan.channel_blocks, 1, plan.block_stride);
        add_loop(plan, nest, Over::channel, trips, count * group, count * group);
        add_loop(plan, nest, Over::kernel_row, shape.r, 1, shape.dilation * plan.row_stride);
        add_loop(plan, nest, Over::kernel_column, shape.s, 1, shape.dilation * plan.pixel_stride);
        nests.push_back(nest);
    };
    add(0, chunks, chunk);
    add(chunks * chunk, 1, steps - chunks * chunk);
    return nests;
}

// Room between the patches of two pixels: an odd number of cache lines, lest the pixels of a tile
// share a few sets of the cache.
std::int64_t spaced(std::int64_t elements, std::int64_t bytes_per_element, std::int64_t group) {
    const std::int64_t bytes = round_up(elements, group) * bytes_per_element;
    if (bytes < 4 * line_bytes) return bytes / bytes_per_element;
    return (divide_up(bytes, line_bytes) | 1) * line_bytes / bytes_per_element;
}

void place_input(ConvPlan& plan) {
    const ConvShape& shape = plan.problem.shape;
    plan.copies_rows =
        plan.mode == InputMode::padded || (plan.mode == InputMode::patches && shape.pad > 0);
    plan.copy_rows =
        (plan.schedule.tile_rows - 1) * shape.stride + (shape.r - 1) * shape.dilation + 1;
    plan.copy_width = (shape.out_w() - 1) * shape.stride + (shape.s - 1) * shape.dilation + 1;
    const std::int64_t height = plan.copies_rows ? plan.copy_rows : shape.h;
    const std::int64_t width = plan.copies_rows ? plan.copy_width : shape.w;
    plan.pixel_stride = plan.block_channels;
    plan.row_stride = width * plan.pixel_stride;
    plan.block_stride = height * plan.row_stride;
}

void place_scratch(ConvPlan& plan, const TargetTraits& machine) {
    const ConvShape& shape = plan.problem.shape;
    plan.patch_elements = shape.r * shape.s * plan.channel_blocks * plan.block_channels;
    plan.patch_stride = spaced(plan.patch_elements, machine.activation_bytes, machine.group);
    const auto bytes = [&](std::int64_t elements) {
        return round_up(elements * machine.activation_bytes + line_bytes, line_bytes);
    };
    if (plan.copies_rows) plan.padded_bytes = bytes(plan.channel_blocks * plan.block_stride);
    if (plan.mode == InputMode::patches) {
        plan.patch_bytes = bytes(plan.schedule.tile_rows * shape.out_w() * plan.patch_stride);
    }
}

void place_tiles(ConvPlan& plan) {
    const ConvShape& shape = plan.problem.shape;
    const bool patches = plan.mode == InputMode::patches;
    plan.tile_pixel_stride = patches ? plan.patch_stride : shape.stride * plan.pixel_stride;
    plan.tile_row_stride =
        patches ? shape.out_w() * plan.patch_stride : shape.stride * plan.row_stride;
    if (plan.flat || plan.schedule.pixels <= shape.out_w()) {
        plan.tile_height = 1;
        plan.tile_width = plan.schedule.pixels;
    } else {
        plan.tile_height = plan.schedule.pixels / shape.out_w();
        plan.tile_width = shape.out_w();
    }
}

std::int64_t weight_bytes_of(const ConvPlan& plan, std::int64_t vectors) {
    std::int64_t bytes = 0;
    for (const ReductionNest& nest : plan.nests) {
        std::int64_t trips = 1;
        for (const ReductionLoop& loop : nest.loops) trips *= loop.trips;
        const std::int64_t chunk = plan.schedule.chunk;
        bytes += trips * (nest.steps / chunk * body_bytes(plan, chunk, vectors) +
                          body_bytes(plan, nest.steps % chunk, vectors));
    }
    return bytes;
}

}  // namespace

std::int32_t raised_zero_point(const ConvProblem& problem, Target target) {
    const bool raised = target == Target::x86_vnni && problem.input == ByteType::s8;
    return problem.input_zero_point + (raised ? 128 : 0);
}

bool is_flat(const ConvProblem& problem, const Schedule& schedule) {
    const ConvShape& shape = problem.shape;
    return schedule.reuse == 0 || (shape.r * shape.s == 1 && shape.stride == 1 && shape.pad == 0);
}

std::int64_t longest_run(const ConvProblem& problem, Target target, const Schedule& schedule) {
    const ConvShape& shape = problem.shape;
    const Channels split = channels(shape, schedule);
    const std::int64_t group = traits(target).group;
    if (schedule.reuse == 0) {
        return divide_up(shape.r * shape.s * split.blocks * split.per_block, group);
    }
    if (schedule.channel_outer != 0) return divide_up(split.per_block, group);
    const bool contiguous =
        row_is_contiguous(shape, schedule) && !skips_columns(problem, target, schedule);
    const std::int64_t columns = contiguous ? shape.s : 1;
    return divide_up(columns * split.per_block, group);
}

std::int64_t body_bytes(const ConvPlan& plan, std::int64_t steps, std::int64_t vectors) {
    const TargetTraits& machine = traits(plan.target);
    const std::int64_t count = steps * vectors;
    const std::int64_t loads = plan.problem.weight == WeightType::s4 ? divide_up(count, 2) : count;
    return loads * machine.lanes * machine.group;
}

ConvPlan planned(const ConvProblem& problem, Target target, const Schedule& point) {
    const ConvShape& shape = problem.shape;
    const TargetTraits& machine = traits(target);
    ConvPlan plan{};
    plan.problem = problem;
    plan.target = target;
    plan.schedule = point;
    plan.mode = input_mode(problem, target, point);
    plan.flat = is_flat(problem, point);
    plan.skips_rows = skips_rows(problem, target, point);
    plan.skips_columns = skips_columns(problem, target, point);
    plan.block_channels = channels(shape, point).per_block;
    plan.channel_blocks = channels(shape, point).blocks;
    place_input(plan);
    place_scratch(plan, machine);
    place_tiles(plan);
    if (plan.mode == InputMode::patches) {
        ReductionNest nest{};
        nest.run_elements = plan.patch_elements;
        nest.crosses = true;
        nest.steps = divide_up(plan.patch_elements, machine.group);
        plan.nests.push_back(nest);
    } else if (point.channel_outer != 0) {
        plan.nests = channel_outer(plan, machine.group);
    } else {
        plan.nests.push_back(kernel_outer(plan, machine.group));
    }
    const std::int64_t vectors = divide_up(shape.k, machine.lanes);
    plan.full_blocks = vectors / point.vectors;
    plan.rest_vectors = vectors % point.vectors;
    plan.row_tasks = divide_up(shape.out_h(), point.tile_rows);
    plan.channel_tasks =
        divide_up(plan.full_blocks + (plan.rest_vectors > 0 ? 1 : 0), point.tile_blocks);
    plan.block_weight_bytes = weight_bytes_of(plan, point.vectors);
    plan.weight_bytes = plan.full_blocks * plan.block_weight_bytes;
    if (plan.rest_vectors > 0) plan.weight_bytes += weight_bytes_of(plan, plan.rest_vectors);
    return plan;
}

Result<ConvPlan> make_plan(const ConvProblem& problem, Target target, const Schedule& schedule) {
    MEMSIDE_CHECK(valid(problem, target, schedule));
    return planned(problem, target, canonical(problem, target, schedule));
}

}  // namespace memside::conv
