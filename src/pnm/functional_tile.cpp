#include "pnm/functional_tile.h"

#include <algorithm>
#include <cassert>

namespace memside::pnm {
namespace {

// Reduces `width` lanes, a power of two, by neighbours.
template <typename Combine>
float reduce(Lanes lanes, std::size_t width, const Combine& combine) {
    for (; width > 1; width /= 2) {
        for (std::size_t i = 0; i < width / 2; ++i) {
            lanes[i] = combine(lanes[2 * i], lanes[2 * i + 1]);
        }
    }
    return lanes[0];
}

constexpr auto add = [](float a, float b) { return a + b; };
constexpr auto larger = [](float a, float b) { return std::max(a, b); };
constexpr auto smaller = [](float a, float b) { return std::min(a, b); };

}  // namespace

float tree_sum(const Lanes& lanes) {
    return reduce(lanes, tile_lanes, add);
}

float tree_max(const Lanes& lanes) {
    return reduce(lanes, tile_lanes, larger);
}

float tree_min(const Lanes& lanes) {
    return reduce(lanes, tile_lanes, smaller);
}

float dot(std::span<const Half> a, std::span<const Half> b) {
    assert(a.size() == b.size());
    float sum = 0.0F;
    for (std::size_t start = 0; start < a.size(); start += tile_lanes) {
        Lanes lanes{};
        const std::size_t width = std::min(tile_lanes, a.size() - start);
        for (std::size_t i = 0; i < width; ++i) {
            lanes[i] = to_float(a[start + i]) * to_float(b[start + i]);
        }
        sum += tree_sum(lanes);
    }
    return sum;
}

float digest_score(std::span<const Half> query, std::span<const Half> min,
                   std::span<const Half> max) {
    assert(query.size() == min.size() && query.size() == max.size());
    constexpr std::size_t channels = tile_lanes / 2;
    float sum = 0.0F;
    for (std::size_t start = 0; start < query.size(); start += channels) {
        Lanes lanes{};
        const std::size_t width = std::min(channels, query.size() - start);
        for (std::size_t i = 0; i < width; ++i) {
            const float q = to_float(query[start + i]);
            lanes[i] = std::max(q * to_float(min[start + i]), q * to_float(max[start + i]));
        }
        sum += reduce(lanes, channels, add);
    }
    return sum;
}

}  // namespace memside::pnm
