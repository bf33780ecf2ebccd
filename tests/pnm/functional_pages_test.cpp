#include "pnm/functional_pages.h"

#include <rapidcheck/gtest.h>
#include <algorithm>

#include "pnm/functional_tile.h"
#include "pnm/random_values.h"

namespace memside::pnm {
namespace {

KvShape any_shape() {
    const std::size_t kv_heads = *rc::gen::inRange<std::size_t>(1, 4);
    return {kv_heads * *rc::gen::element<std::size_t>(1, 2, 4), kv_heads,
            *rc::gen::element<std::size_t>(16, 64, 128, 200),
            *rc::gen::element<std::size_t>(1, 16, 64, 256)};
}

TEST(FunctionalPages, tokens_come_back_from_where_they_were_put) {
    const KvShape shape{4, 2, 3, 4};
    KvPages pages(shape);
    for (int token = 0; token < 10; ++token) {
        std::vector<Half> key;
        std::vector<Half> value;
        for (int i = 0; i < 6; ++i) {
            key.push_back(to_half(static_cast<float>(100 * token + i)));
            value.push_back(to_half(static_cast<float>(-100 * token - i)));
        }
        pages.append(key, value);
    }
    EXPECT_EQ(pages.pages(), 3U);
    EXPECT_EQ(pages.tokens_of(1), 4U);
    EXPECT_EQ(pages.tokens_of(2), 2U);
    EXPECT_EQ(to_float(pages.key(1, 2, 1)[0]), 603.0F);     // token 6, KV head 1, channel 0
    EXPECT_EQ(to_float(pages.value(2, 1, 0)[2]), -902.0F);  // token 9, KV head 0, channel 2
}

RC_GTEST_PROP(FunctionalPages, a_digest_is_the_range_of_each_channel, ()) {
    const KvShape shape = any_shape();
    const auto tokens = *rc::gen::inRange<std::size_t>(1, 3 * shape.page_tokens + 1);
    RandomValues random(*rc::gen::arbitrary<std::uint64_t>());
    const KvPages pages = random.pages(shape, tokens, 4.0, 1.0);
    for (std::size_t page = 0; page < pages.pages(); ++page) {
        const PageDigest digest = pages.digest(page);
        for (std::size_t head = 0; head < shape.kv_heads; ++head) {
            for (std::size_t i = 0; i < shape.head_dim; ++i) {
                std::vector<float> channel;
                for (std::size_t token = 0; token < pages.tokens_of(page); ++token) {
                    channel.push_back(to_float(pages.key(page, token, head)[i]));
                }
                const auto [low, high] = std::minmax_element(channel.begin(), channel.end());
                RC_ASSERT(to_float(digest.min[head * shape.head_dim + i]) == *low);
                RC_ASSERT(to_float(digest.max[head * shape.head_dim + i]) == *high);
            }
        }
    }
}

RC_GTEST_PROP(FunctionalPages, a_score_bounds_every_key_of_its_page, ()) {
    const KvShape shape = any_shape();
    const auto tokens = *rc::gen::inRange<std::size_t>(1, 3 * shape.page_tokens + 1);
    RandomValues random(*rc::gen::arbitrary<std::uint64_t>());
    const KvPages pages = random.pages(shape, tokens, 4.0, 1.0);
    const std::vector<Half> queries = random.halves(shape.query_heads * shape.head_dim, 2.0);
    const std::vector<float> scores = score_pages(pages, queries);
    RC_ASSERT(scores.size() == pages.pages());
    // Products of up to 8 in magnitude; ten roundings of partial sums are ample for 200 of them.
    const double rounding = 10 * float_roundoff * 8.0 * static_cast<double>(shape.head_dim);
    for (std::size_t page = 0; page < pages.pages(); ++page) {
        for (std::size_t token = 0; token < pages.tokens_of(page); ++token) {
            for (std::size_t head = 0; head < shape.query_heads; ++head) {
                double exact = 0;
                const auto key = pages.key(page, token, head / shape.group());
                for (std::size_t i = 0; i < shape.head_dim; ++i) {
                    exact += static_cast<double>(to_float(queries[head * shape.head_dim + i])) *
                             to_float(key[i]);
                }
                RC_ASSERT(scores[page] >= exact - rounding);
            }
        }
    }
}

TEST(FunctionalPages, of_a_page_with_one_token_the_score_is_its_best_dot_product) {
    const KvShape shape{2, 1, 2, 1};
    KvPages pages(shape);
    const auto halves = [](std::vector<float> values) {
        std::vector<Half> made;
        for (const float value : values) made.push_back(to_half(value));
        return made;
    };
    pages.append(halves({1, -2}), halves({0, 0}));
    pages.append(halves({-3, 0.5}), halves({0, 0}));
    // Heads (1, 1) and (2, -1): -1 and 4 for the first key, -2.5 and -6.5 for the second.
    EXPECT_EQ(score_pages(pages, halves({1, 1, 2, -1})), (std::vector<float>{4, -2.5}));
}

}  // namespace
}  // namespace memside::pnm
