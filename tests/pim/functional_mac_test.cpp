#include "pim/functional_mac.h"

#include "pim/reference_arithmetic.h"

namespace memside::pim {
namespace {

Tile tile_of(const std::vector<Bf16>& values) {
    Tile tile;
    for (unsigned i = 0; i < lanes; ++i) tile.set(i, values[i]);
    return tile;
}

std::vector<float> floats(const Tile& tile) {
    return reference::values_of({tile.values.begin(), tile.values.end()});
}

TEST(MacTree, adds_the_products_of_neighbours_first) {
    // One after the other, 1 would be lost beside 2^30; so it would be beside the ninth product.
    Tile a;
    Tile ones;
    for (unsigned i = 0; i < lanes; ++i) {
        a.set(i, {});
        ones.set(i, to_bf16(1.0F));
    }
    a.set(0, to_bf16(1.0F));
    for (const unsigned i : {2U, 8U}) {
        a.set(i, to_bf16(0x1p30F));
        a.set(i + 1, to_bf16(-0x1p30F));
    }
    EXPECT_EQ(tree_dot(a, ones), 1.0F);
    // Not neighbours any more: (1 + 2^30) + (0 - 2^30).
    a.set(1, to_bf16(0x1p30F));
    a.set(2, {});
    EXPECT_EQ(tree_dot(a, ones), 0.0F);
}

TEST(MacTree, equals_the_reference_bit_for_bit) {
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        const Tile a = tile_of(reference::random_values(lanes, seed));
        const Tile b = tile_of(reference::random_values(lanes, seed + 100'000));
        EXPECT_EQ(tree_dot(a, b), reference::column_dot(floats(a), floats(b))) << seed;
    }
}

TEST(MacTree, keeps_products_exactly_that_bf16_would_round) {
    Tile a;
    Tile b;
    a.set(0, to_bf16(1.0F + 0x1p-7F));
    b.set(0, to_bf16(1.0F + 0x1p-7F));
    EXPECT_EQ(tree_dot(a, b), 1.0F + 0x1p-6F + 0x1p-14F);
}

TEST(ElementWise, results_are_the_exact_ones_rounded_once) {
    for (std::uint32_t seed = 1; seed <= 500; ++seed) {
        const Tile a = tile_of(reference::random_values(lanes, seed));
        const Tile b = tile_of(reference::random_values(lanes, seed + 7000));
        const Tile product = multiply(a, b);
        const Tile sum = add(a, b);
        EXPECT_TRUE(product.complete() && sum.complete());
        for (unsigned i = 0; i < lanes; ++i) {
            const float x = reference::value_of(a.values[i]);
            const float y = reference::value_of(b.values[i]);
            EXPECT_EQ(product.values[i], to_bf16(x * y));
            EXPECT_EQ(sum.values[i], to_bf16(x + y));
        }
    }
}

}  // namespace
}  // namespace memside::pim
