#include "kv/digest.h"

#include <rapidcheck/gtest.h>

#include <cmath>

#include "kv/digest_storage.h"
#include "kv/random_scores.h"

namespace memside::kv {
namespace {

struct Corners {
    std::vector<float> low;
    std::vector<float> high;
};

Corners corners_of(const Digest& digest, std::size_t channels) {
    Corners corners{std::vector<float>(channels), std::vector<float>(channels)};
    digest.corners(corners.low, corners.high);
    return corners;
}

const DigestVariant& variant_named(std::string_view name) {
    const auto& names = digest_kind_names();
    return digest_variant(static_cast<DigestKind>(std::ranges::find(names, name) - names.begin()));
}

// The dot product, summed as page_score sums: in f64, channel by channel.
float dot(std::span<const float> query, std::span<const float> key) {
    double sum = 0.0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        sum += static_cast<double>(query[i]) * static_cast<double>(key[i]);
    }
    return static_cast<float>(sum);
}

struct Page {
    std::size_t tokens;
    std::size_t channels;
    std::vector<float> keys;   // [tokens x channels]
    std::vector<float> query;  // [channels]

    std::span<const float> key(std::size_t token) const {
        return std::span(keys).subspan(token * channels, channels);
    }
};

Page some_page() {
    Page page;
    page.tokens = static_cast<std::size_t>(*rc::gen::inRange(1, 70));
    page.channels = static_cast<std::size_t>(*rc::gen::inRange(1, 140));
    const auto seed = *rc::gen::arbitrary<std::uint32_t>();
    page.keys = normal_values(page.tokens * page.channels, seed);
    page.query = normal_values(page.channels, seed ^ 0x5EED);
    return page;
}

TEST(Digest, a_page_of_two_keys_gives_the_corners_worked_out_by_hand) {
    // Channel 0: 1, 5, 0 (middle 2.5, deviations 1.5, 2.5, 2.5); channel 1: -2, -2, 4 (middle 1,
    // deviations 3, 3, 3).
    const std::vector<float> keys{1, -2, 5, -2, 0, 4};
    const auto corners = [&](std::string_view name, float coefficient) {
        const auto digest = variant_named(name).make(2, coefficient);
        digest->append(keys);
        return corners_of(*digest, 2);
    };
    EXPECT_THAT(corners("minmax", 1.0F).low, testing::ElementsAre(0, -2));
    EXPECT_THAT(corners("minmax", 1.0F).high, testing::ElementsAre(5, 4));
    EXPECT_THAT(corners("centre-max", 0.5F).low, testing::ElementsAre(1.25F, -0.5F));
    EXPECT_THAT(corners("centre-max", 0.5F).high, testing::ElementsAre(3.75F, 2.5F));
    EXPECT_THAT(corners("centre-mad", 1.0F).low,
                testing::ElementsAre(testing::FloatEq(2.5F - 6.5F / 3), testing::FloatEq(-2.0F)));
    EXPECT_THAT(corners("centre-mad", 1.0F).high,
                testing::ElementsAre(testing::FloatEq(2.5F + 6.5F / 3), testing::FloatEq(4.0F)));
    // Channel 0: mean 2, variance (1 + 9 + 4) / 3; channel 1: mean 0, variance 24 / 3.
    EXPECT_THAT(corners("centre-std", 2.0F).high,
                testing::ElementsAre(testing::FloatEq(2.0F + 2 * std::sqrt(14.0F / 3)),
                                     testing::FloatEq(2 * std::sqrt(8.0F))));
    // q = (2, -1): 2 x 5 from channel 0, -1 x -2 from channel 1.
    const auto box = corners("minmax", 1.0F);
    EXPECT_EQ(page_score(std::vector<float>{2, -1}, box.low, box.high), 12.0F);
}

RC_GTEST_PROP(Digest, a_minmax_score_is_never_below_any_keys_dot_product, ()) {
    const Page page = some_page();
    const auto digest =
        variant_named("minmax").make(static_cast<std::int64_t>(page.channels), 1.0F);
    digest->append(page.keys);
    const Corners box = corners_of(*digest, page.channels);
    const float score = page_score(page.query, box.low, box.high);
    for (std::size_t token = 0; token < page.tokens; ++token) {
        RC_ASSERT(score >= dot(page.query, page.key(token)));
    }
}

RC_GTEST_PROP(Digest, a_minmax_score_stays_a_bound_after_outward_rounding_to_storage, ()) {
    const Page page = some_page();
    const DigestType type = *rc::gen::element(DigestType::f16, DigestType::int8);
    const auto digest =
        variant_named("minmax").make(static_cast<std::int64_t>(page.channels), 1.0F);
    digest->append(page.keys);
    const Corners box = corners_of(*digest, page.channels);

    std::vector<std::byte> bytes(digest_bytes(static_cast<std::int64_t>(page.channels), type));
    store_digest(type, DigestRounding::outward, box.low, box.high, bytes);
    Corners stored = box;
    load_digest(type, bytes, stored.low, stored.high);
    for (std::size_t i = 0; i < page.channels; ++i) {
        RC_ASSERT(stored.low[i] <= box.low[i]);
        RC_ASSERT(stored.high[i] >= box.high[i]);
    }
    const float score = page_score(page.query, stored.low, stored.high);
    for (std::size_t token = 0; token < page.tokens; ++token) {
        RC_ASSERT(score >= dot(page.query, page.key(token)));
    }
}

RC_GTEST_PROP(Digest, nearest_rounding_is_off_by_half_a_step_at_most, ()) {
    const Page page = some_page();
    const auto digest =
        variant_named("minmax").make(static_cast<std::int64_t>(page.channels), 1.0F);
    digest->append(page.keys);
    const Corners box = corners_of(*digest, page.channels);
    float largest = 0.0F;
    for (const float key : page.keys) largest = std::max(largest, std::abs(key));

    std::vector<std::byte> bytes(
        digest_bytes(static_cast<std::int64_t>(page.channels), DigestType::int8));
    store_digest(DigestType::int8, DigestRounding::nearest, box.low, box.high, bytes);
    Corners stored = box;
    load_digest(DigestType::int8, bytes, stored.low, stored.high);
    const float step = largest / 127.0F;
    for (std::size_t i = 0; i < page.channels; ++i) {
        RC_ASSERT(std::abs(stored.low[i] - box.low[i]) <= 0.5001F * step);
        RC_ASSERT(std::abs(stored.high[i] - box.high[i]) <= 0.5001F * step);
    }
}

TEST(DigestStorage, sizes_are_two_vectors_and_a_scale) {
    EXPECT_EQ(digest_bytes(128, DigestType::f16), 512U);
    EXPECT_EQ(digest_bytes(128, DigestType::int8), 260U);
}

TEST(DigestStorage, keys_beyond_f16_give_a_score_that_is_still_a_bound) {
    const std::vector<float> low{-1e5F, 1.0F};
    const std::vector<float> high{1e5F, 2.0F};
    std::vector<std::byte> bytes(digest_bytes(2, DigestType::f16));
    store_digest(DigestType::f16, DigestRounding::outward, low, high, bytes);
    std::vector<float> stored_low(2);
    std::vector<float> stored_high(2);
    load_digest(DigestType::f16, bytes, stored_low, stored_high);
    EXPECT_EQ(page_score(std::vector<float>{1.0F, 1.0F}, stored_low, stored_high),
              std::numeric_limits<float>::infinity());
    // A query that does not look at the channel gets a finite score, not a NaN.
    EXPECT_EQ(page_score(std::vector<float>{0.0F, 1.0F}, stored_low, stored_high), 2.0F);
}

RC_GTEST_PROP(Digest, a_page_that_grows_has_the_digest_of_the_page_that_came_whole, ()) {
    const Page page = some_page();
    const auto& variant = *rc::gen::elementOf(
        std::vector<DigestVariant>(digest_variants().begin(), digest_variants().end()));
    const auto whole = variant.make(static_cast<std::int64_t>(page.channels), 1.0F);
    const auto grown = variant.make(static_cast<std::int64_t>(page.channels), 1.0F);
    // What a former page left must not show.
    grown->append(page.query);
    grown->clear();
    whole->append(page.keys);
    for (std::size_t token = 0; token < page.tokens; ++token) grown->append(page.key(token));

    RC_ASSERT(whole->tokens() == static_cast<std::int64_t>(page.tokens));
    RC_ASSERT(grown->tokens() == whole->tokens());
    const Corners a = corners_of(*whole, page.channels);
    const Corners b = corners_of(*grown, page.channels);
    RC_ASSERT(a.low == b.low);
    RC_ASSERT(a.high == b.high);
}

// Centre and radius of one channel, by the definitions, in two passes.
struct Box {
    double centre;
    double radius;
};
Box slow_box(std::string_view name, const Page& page, std::size_t channel) {
    std::vector<double> values;
    for (std::size_t token = 0; token < page.tokens; ++token) {
        values.push_back(page.key(token)[channel]);
    }
    const auto count = static_cast<double>(values.size());
    const double low = *std::min_element(values.begin(), values.end());
    const double high = *std::max_element(values.begin(), values.end());
    double mean = 0.0;
    for (const double value : values) mean += value / count;
    const double centre = name == "centre-std" ? mean : (low + high) / 2;
    double largest = 0.0;
    double deviation = 0.0;
    double variance = 0.0;
    for (const double value : values) {
        largest = std::max(largest, std::abs(value - centre));
        deviation += std::abs(value - centre) / count;
        variance += (value - centre) * (value - centre) / count;
    }
    return {centre, name == "centre-max"   ? largest
                    : name == "centre-mad" ? deviation
                                           : std::sqrt(variance)};
}

RC_GTEST_PROP(Digest, centre_digests_equal_their_definition, ()) {
    const Page page = some_page();
    const auto name = *rc::gen::element<std::string>("centre-max", "centre-mad", "centre-std");
    const auto coefficient = *rc::gen::element(0.0F, 0.5F, 1.0F, 1.75F);
    const auto digest =
        variant_named(name).make(static_cast<std::int64_t>(page.channels), coefficient);
    digest->append(page.keys);
    const Corners box = corners_of(*digest, page.channels);

    double largest = 0.0;
    for (const float key : page.keys)
        largest = std::max(largest, std::abs(static_cast<double>(key)));
    const double tolerance = 4e-7 * largest * (1.0 + coefficient);
    for (std::size_t i = 0; i < page.channels; ++i) {
        const auto [centre, radius] = slow_box(name, page, i);
        RC_ASSERT(std::abs(box.low[i] - (centre - coefficient * radius)) <= tolerance);
        RC_ASSERT(std::abs(box.high[i] - (centre + coefficient * radius)) <= tolerance);
        RC_ASSERT(box.low[i] <= box.high[i]);
    }
}

TEST(Digest, the_table_follows_the_kinds_that_have_names) {
    ASSERT_EQ(digest_variants().size(), digest_kind_names().size());
    for (std::size_t i = 0; i < digest_variants().size(); ++i) {
        EXPECT_EQ(digest_variants()[i].kind, static_cast<DigestKind>(i));
    }
    EXPECT_TRUE(variant_named("minmax").upper_bound);
    EXPECT_FALSE(variant_named("centre-mad").upper_bound);
}

TEST(Digest, a_coefficient_is_refused_where_there_is_no_radius_or_no_sense) {
    EXPECT_TRUE(check_coefficient(DigestKind::minmax, 1.0, "--digest-coef").ok());
    EXPECT_FALSE(check_coefficient(DigestKind::minmax, 0.5, "--digest-coef").ok());
    EXPECT_TRUE(check_coefficient(DigestKind::centre_mad, 0.5, "--digest-coef").ok());
    for (const double bad : {-0.1, 17.0, std::nan("")}) {
        EXPECT_EQ(
            check_coefficient(DigestKind::centre_std, bad, "--digest-coef").error().exit_status(),
            2);
    }
}

}  // namespace
}  // namespace memside::kv
