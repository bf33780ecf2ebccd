#include "pim/functional_mac.h"

namespace memside::pim {
namespace {

template <typename Combine>
Tile lane_by_lane(const Tile& a, const Tile& b, const Combine& combine) {
    Tile result;
    for (unsigned i = 0; i < lanes; ++i) {
        result.set(i, to_bf16(combine(to_float(a.values[i]), to_float(b.values[i]))));
    }
    return result;
}

}  // namespace

float tree_dot(const Tile& a, const Tile& b) {
    std::array<float, lanes> level{};
    for (unsigned i = 0; i < lanes; ++i) level[i] = to_float(a.values[i]) * to_float(b.values[i]);
    for (unsigned width = lanes / 2; width >= 1; width /= 2) {
        for (unsigned i = 0; i < width; ++i) level[i] = level[2 * i] + level[2 * i + 1];
    }
    return level[0];
}

Tile multiply(const Tile& a, const Tile& b) {
    return lane_by_lane(a, b, [](float x, float y) { return x * y; });
}

Tile add(const Tile& a, const Tile& b) {
    return lane_by_lane(a, b, [](float x, float y) { return x + y; });
}

}  // namespace memside::pim
