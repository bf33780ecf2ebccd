#include "gpu/shape_efficiency.h"

#include <algorithm>
#include <cmath>

namespace memside::gpu {
namespace {

double whole(double value, double unit) {
    return std::ceil(value / unit) * unit;
}

// Work items over the slots of the waves that they take.
double wave_efficiency(double items, double slots) {
    return items / whole(items, slots);
}

}  // namespace

double gemm_efficiency(const Machine& machine, double m, double n) {
    constexpr int most_splits = 8;
    const double padded_m =
        m < machine.tile ? whole(m, machine.instruction) : whole(m, machine.tile);
    const double padded_n = whole(n, machine.tile);
    const double tiles = std::ceil(m / machine.tile) * padded_n / machine.tile;
    double best = 0.0;
    for (int splits = 1; splits <= most_splits; ++splits) {
        best = std::max(best, wave_efficiency(tiles * splits, machine.multiprocessors));
    }
    return best * (m / padded_m) * (n / padded_n);
}

double attention_efficiency(const Machine& machine, double requests, double kv_heads,
                            double tokens) {
    const double blocks = requests * kv_heads * std::ceil(tokens / machine.kv_chunk);
    return blocks > 0.0 ? wave_efficiency(blocks, machine.multiprocessors) : 1.0;
}

double prompt_efficiency(const Machine& machine, double query_heads, double tokens) {
    const double blocks = query_heads * std::ceil(tokens / machine.tile);
    return blocks > 0.0 ? wave_efficiency(blocks, machine.multiprocessors) : 1.0;
}

}  // namespace memside::gpu
