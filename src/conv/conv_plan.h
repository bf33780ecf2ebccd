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
    direct,  // the input itself: nothing to pad
    padded,  // a copy of the task's input rows with their borders
    patches  // a copy of what each output pixel sums
};

// One loop around the reduction's innermost run.
struct ReductionLoop {
    std::int64_t trips;
    std::int64_t input_step;  // in input elements
};

// A nest of loops, outermost first, around `steps` broadcasts from consecutive channels.
struct ReductionNest {
    std::int64_t input_start;  // in input elements, from the pixel's first one
    std::vector<ReductionLoop> loops;
    std::int64_t steps;
};

// A full plan. Element offsets are in elements of the buffer that the inner loop reads.
struct ConvPlan {
    ConvProblem problem;
    Target target;
    Schedule schedule;  // canonical

    InputMode mode;
    bool flat;  // output pixels of a task are equally spaced in the input: tiles ignore row ends

    // Channels as the loops see them: `channel_blocks` of `block_channels` each.
    std::int64_t block_channels;
    std::int64_t channel_blocks;

    // The buffer that pixels are read from (input, padded copy): element strides.
    std::int64_t row_stride;    // one input row down
    std::int64_t pixel_stride;  // one input pixel right
    std::int64_t block_stride;  // one channel block further
    std::int64_t copy_rows;     // of the padded copy, for a full task
    std::int64_t copy_width;

    // From one output pixel to the next, in the buffer that the inner loop reads.
    std::int64_t tile_row_stride;
    std::int64_t tile_pixel_stride;

    std::vector<ReductionNest> nests;

    // Register tiles of pixels: tile_height x tile_width; flat ones are 1 x pixels.
    std::int64_t tile_height;
    std::int64_t tile_width;

    std::int64_t full_blocks;   // of schedule.vectors vectors
    std::int64_t rest_vectors;  // in a last, smaller block
    std::int64_t row_tasks;     // per image
    std::int64_t channel_tasks;

    std::int64_t weight_block_bytes;  // of a full block
    std::int64_t weight_bytes;
    std::int64_t table_values;  // i32
    std::int64_t padded_bytes;  // scratch for the padded copy, and after it
    std::int64_t patch_bytes;   // for the patches
    std::int64_t patch_stride;  // elements per output pixel

    // Tasks are numbered channels fastest, then rows, then images: neighbours share their copy.
    std::int64_t tasks() const { return problem.shape.n * row_tasks * channel_tasks; }
    std::int64_t scratch_bytes() const { return padded_bytes + patch_bytes; }
    std::int64_t vectors_total() const;
};

// The plan of a valid schedule; the Error of valid() otherwise.
Result<ConvPlan> make_plan(const ConvProblem& problem, Target target, const Schedule& schedule);

// Weights [k][r][s][c] as the plan's kernel reads them.
std::vector<std::uint8_t> pack_weights(const ConvPlan& plan, std::span<const std::int8_t> weights);

// Bias (with the zero point's share), multiplier, rounding and shift, in vectors: i32
// [vectors][4][lanes].
std::vector<std::int32_t> pack_tables(const ConvPlan& plan, std::span<const std::int8_t> weights,
                                      const Requantisation& requantisation);

}  // namespace memside::conv
