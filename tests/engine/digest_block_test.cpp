#include "engine/digest_block.h"

#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>

#include "engine/digest_kernel.h"
#include "engine/half.h"
#include "kv/digest_storage.h"
#include "kv/half.h"

namespace memside::engine {
namespace {

void expect_outward(float value) {
    const std::uint16_t below = kv::half_from_float(value, kv::RoundTo::down);
    const std::uint16_t above = kv::half_from_float(value, kv::RoundTo::up);
    // Infinities of the reference are the largest halves here.
    const auto finite = [](std::uint16_t bits) {
        return (bits & 0x7FFF) == 0x7C00 ? bits - 1 : static_cast<int>(bits);
    };
    const auto value_of = [](int bits) {
        return float_from_half(static_cast<std::uint16_t>(bits));
    };
    EXPECT_EQ(float_from_half(half_below(value)), value_of(finite(below))) << value;
    EXPECT_EQ(float_from_half(half_above(value)), value_of(finite(above))) << value;
}

TEST(DigestBlock, halves_below_and_above_are_those_of_the_arithmetic_reference) {
    // Every half, and the floats next to it and midway to the next one.
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const float half = float_from_half(static_cast<std::uint16_t>(bits));
        if (!std::isfinite(half)) continue;
        expect_outward(half);
        expect_outward(std::nextafter(half, HUGE_VALF));
        expect_outward(std::nextafter(half, -HUGE_VALF));
        expect_outward(half * 1.00025F);
    }
    for (const float value : {65519.0F, 65520.0F, 1e30F, -1e30F, 1e-45F, -1e-45F, 0.0F, -0.0F}) {
        expect_outward(value);
    }
}

RC_GTEST_PROP(DigestBlock, a_block_holds_what_kv_stores, ()) {
    const auto type = *rc::gen::element(kv::DigestType::f16, kv::DigestType::int8);
    const auto dim = static_cast<std::size_t>(*rc::gen::inRange(1, 70));
    const auto size = *rc::gen::element(1e-30F, 1e-3F, 1.0F, 300.0F);
    std::vector<std::byte> block(
        static_cast<std::size_t>(digest_block_bytes(static_cast<std::int64_t>(dim), type)));
    std::vector<std::vector<float>> lows;
    std::vector<std::vector<float>> highs;
    for (std::int64_t lane = 0; lane < digest_block_pages; ++lane) {
        std::vector<float> low;
        std::vector<float> high;
        for (std::size_t d = 0; d < dim; ++d) {
            const int a = *rc::gen::inRange(-1000, 1000);
            const int b = *rc::gen::inRange(0, 1000);
            low.push_back(size * static_cast<float>(a) / 777.0F);
            high.push_back(low.back() + size * static_cast<float>(b) / 777.0F);
        }
        std::vector<std::byte> bytes(kv::digest_bytes(static_cast<std::int64_t>(dim), type));
        kv::store_digest(type, kv::DigestRounding::outward, low, high, bytes);
        std::vector<float> want_low(dim);
        std::vector<float> want_high(dim);
        kv::load_digest(type, bytes, want_low, want_high);
        store_corners(type, low, high, block.data(), lane);
        RC_ASSERT(low == want_low);
        RC_ASSERT(high == want_high);
        lows.push_back(low);
        highs.push_back(high);
    }
    // No lane has touched another.
    for (std::int64_t lane = 0; lane < digest_block_pages; ++lane) {
        std::vector<float> low(dim);
        std::vector<float> high(dim);
        load_corners(type, block.data(), lane, low, high);
        RC_ASSERT(low == lows[static_cast<std::size_t>(lane)]);
        RC_ASSERT(high == highs[static_cast<std::size_t>(lane)]);
    }
}

}  // namespace
}  // namespace memside::engine
