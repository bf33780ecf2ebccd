// A schedule worked out for a problem: the buffers, loops and tiles of its program. The code
// generator writes these loops as MLIR; the packers here lay the weights out in the order in which
// the loops read them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "conv/conv_problem.h"
#include "conv/schedule.h"

namespace memside::conv {

// Where the inner loop reads activations.
enum class InputMode : std::int32_t {
    direct,  // the input itself: nothing to pad, or what would be padding is left out
    padded,  // a copy of the task's input rows with their borders
    patches  // a copy of what each output pixel sums
};

// One loop around the reduction's innermost run, over one of its coordinates.
struct ReductionLoop {
    enum class Over : std::int32_t { kernel_row, kernel_column, channel_block, channel };
    Over over;
    std::int64_t trips;
    std::int64_t advance;     // of the coordinate, each trip: 1, or channels of a chunk
    std::int64_t input_step;  // in elements, each trip
};

// A nest of loops, outermost first, around a run of `steps` broadcasts from consecutive elements.
struct ReductionNest {
    std::int64_t first_channel;
    std::vector<ReductionLoop> loops;
    std::int64_t steps;
    // The elements of a run that are operands; what is beyond gets weights of zero. A run ends with
    // its channel block, unless it crosses over to the kernel columns, blocks and kernel rows that
    // follow each other in the buffer.
    std::int64_t run_elements;
    bool crosses;
};

// An element is one input channel in the buffer that the inner loop reads: a byte, or
// TargetTraits::activation_bytes in a copy.
struct ConvPlan {
    ConvProblem problem;
    Target target;
    Schedule schedule;  // canonical

    InputMode mode;
    bool flat;  // a task's output pixels are equally spaced in the buffer: tiles ignore row ends

    // Kernel rows that lie outside the image are left out for a row of output pixels, and kernel
    // columns for each pixel of a tile that covers a whole row. Zero points forbid it: a pixel
    // outside has the value zero, which is only the absence of a product where zero is the number
    // 0.
    bool skips_rows;
    bool skips_columns;

    // Channels as the loops see them.
    std::int64_t block_channels;
    std::int64_t channel_blocks;

    // Element strides of the buffer of input pixels: the input (direct), or the padded copy.
    // Patches are made from that copy where there is padding, else from the input.
    bool copies_rows;  // there is a padded copy
    std::int64_t pixel_stride;
    std::int64_t row_stride;
    std::int64_t block_stride;
    std::int64_t copy_rows;  // of a full task
    std::int64_t copy_width;

    // The patch of an output pixel: [r][s][block][channel], then free space.
    std::int64_t patch_elements;
    std::int64_t patch_stride;

    // From one output pixel to the next, in the buffer that the inner loop reads.
    std::int64_t tile_row_stride;
    std::int64_t tile_pixel_stride;

    std::vector<ReductionNest> nests;

    // Register tiles are tile_height x tile_width output pixels; flat ones 1 x schedule.pixels.
    std::int64_t tile_height;
    std::int64_t tile_width;

    std::int64_t full_blocks;   // register tiles of schedule.vectors vectors
    std::int64_t rest_vectors;  // in a last, narrower one
    std::int64_t row_tasks;     // per image
    std::int64_t channel_tasks;

    std::int64_t block_weight_bytes;  // of a full block
    std::int64_t weight_bytes;
    std::int64_t padded_bytes;  // scratch: the padded copy, then the patches
    std::int64_t patch_bytes;

    // Tasks are numbered channels fastest, then rows, then images: neighbours share their copy.
    std::int64_t tasks() const { return problem.shape.n * row_tasks * channel_tasks; }
    std::int64_t scratch_bytes() const { return padded_bytes + patch_bytes; }
    std::int64_t vectors() const { return full_blocks * schedule.vectors + rest_vectors; }
    std::int64_t table_values() const { return 4 * vectors() * traits(target).lanes; }
};

// Bytes of weights that `steps` broadcasts meet, for a block of `vectors` vectors: whole vectors,
// or two in one where weights have four bits.
std::int64_t body_bytes(const ConvPlan& plan, std::int64_t steps, std::int64_t vectors);

// The zero point of activations as the inner loop sees them: vpdpbusd takes unsigned ones, so that
// signed ones are raised by 128.
std::int32_t raised_zero_point(const ConvProblem& problem, Target target);

// Parts of it that canonical() and valid() ask for. `planned` takes a canonical schedule.
bool is_flat(const ConvProblem& problem, const Schedule& schedule);
std::int64_t longest_run(const ConvProblem& problem, Target target, const Schedule& schedule);
ConvPlan planned(const ConvProblem& problem, Target target, const Schedule& schedule);

// The plan of a valid schedule; the Error of valid() otherwise.
Result<ConvPlan> make_plan(const ConvProblem& problem, Target target, const Schedule& schedule);

// Weights [k][r][s][c] as the plan's kernel reads them.
std::vector<std::uint8_t> pack_weights(const ConvPlan& plan, std::span<const std::int8_t> weights);

// Bias (with the zero point's share), multiplier, rounding and shift, in vectors: i32
// [vectors][4][lanes].
std::vector<std::int32_t> pack_tables(const ConvPlan& plan, std::span<const std::int8_t> weights,
                                      const Requantisation& requantisation);

}  // namespace memside::conv
