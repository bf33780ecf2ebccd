// How a convolution is run: the knobs of its program on x86, which of them make sense together, and
// the space of all that do. The knobs are the analogues of those of a Tensor Core program: a thread
// tile, a register tile, a reduction chunk, a loop order, the packed epilogue, the layout and the
// duplicate-aware input.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "conv/conv_problem.h"

namespace memside::conv {

enum class Target : std::int32_t { x86_vnni, x86_avx2 };
inline constexpr std::array<std::string_view, 2> target_names{"x86-vnni", "x86-avx2"};

// What a target's instructions fix. `lanes` output channels share a vector register; a broadcast
// carries `group` input channels of one pixel.
struct TargetTraits {
    std::int64_t lanes;
    std::int64_t group;
    std::int64_t registers;         // of vectors
    std::int64_t spare_registers;   // beside sums and weights: the broadcast, a product
    std::int64_t activation_bytes;  // of one input channel in a copy
};
const TargetTraits& traits(Target target);

inline constexpr std::size_t knob_count = 9;
using KnobVector = std::array<std::int32_t, knob_count>;

// A plain structure of integers: it crosses the border of the code generator's library.
struct Schedule {
    std::int32_t tile_rows = 1;      // thread tile: rows of output pixels per task
    std::int32_t tile_blocks = 1;    // thread tile: register tiles of output channels per task
    std::int32_t pixels = 1;         // register tile: output pixels
    std::int32_t vectors = 1;        // register tile: vectors of output channels
    std::int32_t chunk = 1;          // broadcasts per pixel in the unrolled body of the reduction
    std::int32_t channel_outer = 0;  // 1: input channels outside kernel rows and columns
    std::int32_t packed = 0;         // 1: the epilogue packs 2 or 4 vectors into one store
    std::int32_t tiled = 0;          // 1: activations in Layout::tiled, input and output
    // 1: a pixel under several kernel columns is kept once; 0: every output pixel of a task has its
    // own copy of what it sums, so that the inner loop is one contiguous run.
    std::int32_t reuse = 0;

    KnobVector knobs() const;
    static Schedule from(const KnobVector& knobs);
    Layout layout() const { return tiled != 0 ? Layout::tiled : Layout::plain; }

    bool operator==(const Schedule&) const = default;
};

// A knob, in the order of KnobVector, with the values that a search draws from.
struct Knob {
    std::string_view name;
    std::span<const std::int32_t> values;
    std::string_view meaning;
};
std::span<const Knob, knob_count> schedule_knobs();

// What a thread may take for its copies of the input: a limit of ours, about a core's second cache.
inline constexpr std::int64_t max_scratch_bytes = std::int64_t{1} << 20;

// "tile_rows=4 tile_blocks=1 ...", and back; bad_input at `where`.
std::string format_schedule(const Schedule& schedule);
Result<Schedule> parse_schedule(std::string_view text, const std::string& where);

// The representative of all schedules that give the same program: knobs clamped to the layer, knobs
// without meaning at their first value. Idempotent; it neither makes valid nor makes invalid. The
// problem must have passed check().
Schedule canonical(const ConvProblem& problem, Target target, const Schedule& schedule);

// Why the (canonicalised) schedule has no program on the target; success where it has one.
Status valid(const ConvProblem& problem, Target target, const Schedule& schedule);

// All distinct, valid, canonical schedules of a problem on a target, in the lexicographic order of
// their knob vectors; none of a problem that check() refuses.
class ScheduleSpace {
  public:
    ScheduleSpace(const ConvProblem& problem, Target target);

    std::span<const Schedule> points() const { return points_; }

    // The index of the canonical form of a schedule, -1 where it is invalid.
    std::int64_t index(const Schedule& schedule) const;

  private:
    ConvProblem problem_;
    Target target_;
    std::vector<Schedule> points_;
};

}  // namespace memside::conv
