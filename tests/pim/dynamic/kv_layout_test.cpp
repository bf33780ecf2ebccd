// Where keys and values lie: against a place by place count.
#include "pim/dynamic/kv_layout.h"

#include <rapidcheck/gtest.h>

#include <random>
#include <set>

namespace memside::pim {
namespace {

KvLayout random_layout(std::mt19937_64& random) {
    KvLayout layout;
    layout.kind = random() % 2 == 0 ? KvKind::key : KvKind::value;
    layout.head_dim = static_cast<std::uint32_t>(1 + random() % 300);
    layout.channels = static_cast<unsigned>(1 + random() % channel_count);
    layout.ways = static_cast<unsigned>(1 + random() % layout.channels);
    layout.heads = static_cast<unsigned>(1 + random() % (layout.channels / layout.ways));
    return layout;
}

RC_GTEST_PROP(KvLayout, no_two_values_share_a_place_and_all_are_within_their_rows,
              (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    const KvLayout layout = random_layout(random);
    RC_ASSERT(layout.check().ok());
    const std::uint64_t tokens = 1 + random() % 80;
    std::set<std::tuple<unsigned, unsigned, std::uint32_t, std::uint32_t, std::uint64_t>> seen;
    std::size_t count = 0;
    for (unsigned head = 0; head < layout.heads; ++head) {
        const std::uint32_t mask = layout.head_mask(head);
        for (std::uint64_t t = 0; t < tokens; ++t) {
            for (std::uint32_t d = 0; d < layout.head_dim; ++d) {
                Place place;
                std::uint64_t lane = d % lanes;
                if (layout.kind == KvKind::key) {
                    place = layout.key_place(t, head);
                    place.entry += d / lanes;
                } else {
                    place = layout.value_place(t, head, d);
                    lane = t % lanes;
                    RC_ASSERT(place.bank == d % bank_count);
                    const auto of_class = static_cast<unsigned>(t / lanes % layout.classes());
                    RC_ASSERT(
                        (layout.class_mask(head, of_class) >> (channel_count - 1 - place.channel) &
                         1U) == 1U);
                }
                RC_ASSERT(place.entry < columns_per_row);
                RC_ASSERT(place.row < layout.rows(t + 1));
                RC_ASSERT((mask >> (channel_count - 1 - place.channel) & 1U) == 1U);
                seen.insert({place.channel, place.bank, place.row, place.entry, lane});
                ++count;
            }
        }
    }
    RC_ASSERT(seen.size() == count);
}

RC_GTEST_PROP(KvLayout, rows_are_as_many_as_the_last_token_needs, (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    const KvLayout layout = random_layout(random);
    const std::uint64_t token = random() % 100000;
    std::uint32_t last = 0;
    for (std::uint32_t d = 0; d < layout.head_dim; ++d) {
        last = std::max(last, layout.kind == KvKind::key ? layout.key_place(token, 0).row
                                                         : layout.value_place(token, 0, d).row);
    }
    RC_ASSERT(layout.rows(token + 1) == last + 1);
}

TEST(KvLayout, keys_of_a_32_channel_module_fill_a_row_with_4096_tokens_of_128_dimensions) {
    const KvLayout layout = KvLayout::tcp(KvKind::key, 128, 32);
    EXPECT_EQ(layout.row_tokens(), 4096U);
    EXPECT_EQ(layout.key_place(511, 0),
              (Place{.space = Space::bank, .channel = 31, .bank = 15, .row = 0, .entry = 0}));
    EXPECT_EQ(layout.key_place(512, 0),
              (Place{.space = Space::bank, .channel = 0, .bank = 0, .row = 0, .entry = 8}));
    EXPECT_EQ(layout.key_place(4096, 0),
              (Place{.space = Space::bank, .channel = 0, .bank = 0, .row = 1, .entry = 0}));
}

TEST(KvLayout, values_of_a_16_channel_module_have_two_classes_of_token_tiles) {
    const KvLayout layout = KvLayout::tcp(KvKind::value, 128, 16);
    EXPECT_EQ(layout.classes(), 2U);
    EXPECT_EQ(layout.passes(), 1U);
    EXPECT_EQ(layout.row_tokens(), 2048U);
    // Channel 16 is the first of the last 16.
    EXPECT_EQ(layout.value_place(16, 0, 37),
              (Place{.space = Space::bank, .channel = 26, .bank = 5, .row = 0, .entry = 0}));
    EXPECT_EQ(layout.class_mask(0, 0), 0xff00U);
    EXPECT_EQ(layout.class_mask(0, 1), 0x00ffU);
}

TEST(KvLayout, a_chunk_of_a_mebibyte_is_a_row_of_32_channels) {
    EXPECT_EQ(chunk_rows_for(32), 1U);
    EXPECT_EQ(chunk_rows_for(16), 2U);
    EXPECT_EQ(chunk_rows_for(8), 4U);
    EXPECT_EQ(chunk_rows_for(1), 32U);
}

TEST(KvLayout, what_does_not_fit_is_refused) {
    EXPECT_FALSE(KvLayout::tcp(KvKind::key, 1025, 32).check().ok());
    EXPECT_TRUE(KvLayout::tcp(KvKind::value, 1025, 32).check().ok());
    EXPECT_FALSE(KvLayout::tcp(KvKind::key, 0, 32).check().ok());
    EXPECT_EQ(KvLayout::hfp(KvKind::key, 64, 8, 9).check().error().what,
              "the number of heads at once is 9; allowed: 1 to 8");
    const KvLayout wide{KvKind::key, 64, 8, 4, 3};
    EXPECT_EQ(wide.check().error().what,
              "3 heads of 4 channels each; allowed: 8 channels together");
}

TEST(KvLayout, a_token_without_a_chunk_is_refused) {
    Memory memory;
    const KvLayout layout = KvLayout::tcp(KvKind::key, 16, 1);
    const std::vector<Bf16> key(16);
    EXPECT_TRUE(place_token(layout, {2, {8}}, 2047, 0, key, memory).ok());
    EXPECT_NE(memory.find(31, 15, 9, 63), nullptr);
    EXPECT_EQ(place_token(layout, {2, {8}}, 2048, 0, key, memory).error().message(),
              "token 2048: virtual row 2 has no chunk; the table has 1");
}

}  // namespace
}  // namespace memside::pim
