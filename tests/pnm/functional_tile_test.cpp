#include "pnm/functional_tile.h"

#include <rapidcheck/gtest.h>
#include <cmath>

#include "pnm/random_values.h"

namespace memside::pnm {
namespace {

TEST(FunctionalTile, the_tree_adds_neighbours_first) {
    // 2^24 + 1 is not an FP32 number: the ones survive only where they meet before the large term.
    Lanes lanes{};
    lanes[0] = 0x1p24F;
    lanes[1] = 1.0F;
    EXPECT_EQ(tree_sum(lanes), 0x1p24F);
    lanes[1] = 0.0F;
    lanes[2] = lanes[3] = 1.0F;
    EXPECT_EQ(tree_sum(lanes), 0x1p24F + 2.0F);
}

TEST(FunctionalTile, the_trees_reach_every_lane) {
    for (std::size_t lane = 0; lane < tile_lanes; ++lane) {
        Lanes lanes{};
        lanes[lane] = 3.0F;
        EXPECT_EQ(tree_sum(lanes), 3.0F);
        EXPECT_EQ(tree_max(lanes), 3.0F);
        lanes[lane] = -3.0F;
        EXPECT_EQ(tree_min(lanes), -3.0F);
    }
}

RC_GTEST_PROP(FunctionalTile, a_dot_product_errs_by_one_rounding_per_level_and_slice, ()) {
    const auto size = *rc::gen::inRange<std::size_t>(1, 300);
    RandomValues random(*rc::gen::arbitrary<std::uint64_t>());
    const std::vector<Half> a = random.halves(size, 3.0);
    const std::vector<Half> b = random.halves(size, 3.0);
    double exact = 0;
    double magnitude = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const double product = static_cast<double>(to_float(a[i])) * to_float(b[i]);
        exact += product;
        magnitude += std::abs(product);
    }
    const double slices = std::ceil(static_cast<double>(size) / tile_lanes);
    RC_ASSERT(std::abs(dot(a, b) - exact) <=
              (tree_levels + slices) * float_roundoff * magnitude * (1 + 1e-5));
}

RC_GTEST_PROP(FunctionalTile, a_digest_score_errs_likewise, ()) {
    const auto size = *rc::gen::inRange<std::size_t>(1, 300);
    RandomValues random(*rc::gen::arbitrary<std::uint64_t>());
    const std::vector<Half> q = random.halves(size, 3.0);
    const std::vector<Half> a = random.halves(size, 3.0);
    const std::vector<Half> b = random.halves(size, 3.0);
    double exact = 0;
    double magnitude = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const double larger = std::max(static_cast<double>(to_float(q[i])) * to_float(a[i]),
                                       static_cast<double>(to_float(q[i])) * to_float(b[i]));
        exact += larger;
        magnitude += std::abs(larger);
    }
    const double slices = std::ceil(static_cast<double>(size) * 2 / tile_lanes);
    RC_ASSERT(std::abs(digest_score(q, a, b) - exact) <=
              (tree_levels - 1 + slices) * float_roundoff * magnitude * (1 + 1e-5));
}

}  // namespace
}  // namespace memside::pnm
