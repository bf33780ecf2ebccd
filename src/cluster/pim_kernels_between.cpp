#include "cluster/pim_kernels_between.h"

#include <bit>
#include <cmath>

namespace memside {
namespace {

// What a column of all channels holds with TCP at head dimension 128; other layouts have less.
constexpr std::int64_t granule = 64;
constexpr std::int64_t parts_of_octave = 16;

// Distance of the lengths that are asked for around `tokens`.
std::int64_t spacing(std::int64_t tokens) {
    const auto power = std::bit_floor(static_cast<std::uint64_t>(tokens));
    return static_cast<std::int64_t>(power) / parts_of_octave;
}

PimKernelTime mixed(const PimKernelTime& low, const PimKernelTime& high, double share) {
    PimKernelTime time;
    for (double PimKernelTime::* figure :
         {&PimKernelTime::time_s, &PimKernelTime::hub_s, &PimKernelTime::open_channel_s,
          &PimKernelTime::scan_s, &PimKernelTime::top_k_s}) {
        time.*figure = std::lerp(low.*figure, high.*figure, share);
    }
    for (std::size_t c = 0; c < time.commands.size(); ++c) {
        time.commands[c] = static_cast<std::uint64_t>(std::llround(std::lerp(
            static_cast<double>(low.commands[c]), static_cast<double>(high.commands[c]), share)));
    }
    // The blocks of the shorter one, stretched.
    const double hub = time.hub_s / low.hub_s;
    const double channels = (time.time_s - time.hub_s) / (low.time_s - low.hub_s);
    time.blocks = low.blocks;
    for (PimBlock& block : time.blocks) {
        block.scores_s *= channels;
        block.sums_s *= channels;
        block.softmax_s *= hub;
        block.accumulate_s *= hub;
    }
    return time;
}

}  // namespace

Result<PimKernelTime> KernelsBetween::at(PimAttention shape, std::int64_t tokens) {
    shape.tokens = tokens;
    const Key key{shape.pairs, shape.group, shape.head_dim, tokens, shape.doubled ? 1 : 0};
    if (const auto found = attention_.find(key); found != attention_.end()) return found->second;
    MEMSIDE_TRY(const PimKernelTime time, kernels_.attention(shape));
    return attention_.emplace(key, time).first->second;
}

Result<PimKernelTime> KernelsBetween::attention(const PimAttention& shape) {
    const std::int64_t step = spacing(shape.tokens);
    if (step <= granule) return at(shape, shape.tokens);
    const std::int64_t below = shape.tokens / step * step;
    MEMSIDE_TRY(const PimKernelTime low, at(shape, below));
    if (below == shape.tokens) return low;
    MEMSIDE_TRY(const PimKernelTime high, at(shape, below + step));
    return mixed(low, high, static_cast<double>(shape.tokens - below) / static_cast<double>(step));
}

Result<PimKernelTime> KernelsBetween::remember_gemv(const PimGemv& shape) {
    const std::pair key{shape.rows, shape.columns};
    if (const auto found = gemv_.find(key); found != gemv_.end()) return found->second;
    MEMSIDE_TRY(const PimKernelTime time, kernels_.gemv(shape));
    return gemv_.emplace(key, time).first->second;
}

}  // namespace memside
