#include "pnm/functional_attention.h"

#include <rapidcheck/gtest.h>
#include <cmath>
#include <numeric>

#include "pnm/attention_reference.h"
#include "pnm/functional_sort.h"
#include "pnm/random_values.h"

namespace memside::pnm {
namespace {

std::vector<std::int32_t> any_selection(std::size_t pages, RandomValues& random) {
    std::vector<std::int32_t> selected;
    for (std::size_t page = 0; page < pages; ++page) {
        if (random.below(3) != 0) selected.push_back(static_cast<std::int32_t>(page));
    }
    if (selected.empty()) selected.push_back(static_cast<std::int32_t>(random.below(pages)));
    return selected;
}

double worst_ratio(const KvShape& shape, std::size_t tokens, double key_limit, std::uint64_t seed) {
    RandomValues random(seed);
    const KvPages pages = random.pages(shape, tokens, key_limit, 2.0);
    const std::vector<Half> queries = random.halves(shape.query_heads * shape.head_dim, 2.0);
    const std::vector<std::int32_t> selected = any_selection(pages.pages(), random);
    const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(shape.head_dim)));
    const auto heads = attend(pages, queries, selected, scale);
    double worst = 0;
    for (std::size_t head = 0; head < shape.query_heads; ++head) {
        const Reference exact =
            reference(pages, std::span(queries).subspan(head * shape.head_dim, shape.head_dim),
                      head / shape.group(), selected, static_cast<double>(scale));
        worst = std::max(worst, largest_error(finish(heads[head]), exact) /
                                    bound_of(exact, blocks_of(exact.tokens)));
    }
    return worst;
}

RC_GTEST_PROP(FunctionalAttention, it_equals_the_f64_reference_within_the_bound, ()) {
    KvShape shape;
    shape.kv_heads = *rc::gen::inRange<std::size_t>(1, 4);
    shape.query_heads = shape.kv_heads * *rc::gen::element<std::size_t>(1, 2, 4, 8);
    shape.head_dim = *rc::gen::element<std::size_t>(64, 80, 128, 256);
    shape.page_tokens = *rc::gen::element<std::size_t>(1, 8, 16, 32, 64, 256);
    const auto tokens = *rc::gen::inRange<std::size_t>(1, 700);
    // From nearly uniform weights to a single one that counts.
    const double key_limit = *rc::gen::element(0.1, 1.0, 4.0, 30.0);
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    RC_ASSERT(worst_ratio(shape, tokens, key_limit, seed) <= 1.0);
}

TEST(FunctionalAttention, so_it_does_for_several_thousand_tokens_and_every_head_size) {
    for (const std::size_t dim : {64U, 128U, 256U}) {
        for (const std::size_t page : {16U, 32U, 64U}) {
            for (const std::size_t tokens : {1000U, 4096U, 6001U}) {
                EXPECT_LE(worst_ratio({4, 1, dim, page}, tokens, 2.0, tokens + page), 1.0)
                    << dim << " " << page << " " << tokens;
            }
        }
    }
}

TEST(FunctionalAttention, the_bound_is_not_idle) {
    // Some input comes within a factor of 5 of the worst case.
    double worst = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        worst = std::max(worst, worst_ratio({2, 1, 64, 16}, 1 + seed, 1.0, seed));
    }
    EXPECT_GT(worst, 0.2);
}

RC_GTEST_PROP(FunctionalAttention, parts_merge_to_the_whole_within_the_bound, ()) {
    const KvShape shape{4, 2, *rc::gen::element<std::size_t>(64, 128),
                        *rc::gen::element<std::size_t>(16, 32)};
    const auto tokens = *rc::gen::inRange<std::size_t>(2 * shape.page_tokens, 600);
    RandomValues random(*rc::gen::arbitrary<std::uint64_t>());
    const KvPages pages = random.pages(shape, tokens, 3.0, 2.0);
    const std::vector<Half> queries = random.halves(shape.query_heads * shape.head_dim, 2.0);
    std::vector<std::int32_t> all(pages.pages());
    std::iota(all.begin(), all.end(), 0);
    const std::size_t split = random.below(pages.pages() + 1);  // one part may be empty
    const std::span<const std::int32_t> span(all);
    const auto first = attend(pages, queries, span.first(split), 0.125F);
    const auto second = attend(pages, queries, span.subspan(split), 0.125F);
    for (std::size_t head = 0; head < shape.query_heads; ++head) {
        const Reference exact =
            reference(pages, std::span(queries).subspan(head * shape.head_dim, shape.head_dim),
                      head / shape.group(), all, 0.125);
        const std::size_t blocks = blocks_of(tokens) + 2;  // the split may start one more
        const auto merged = finish(merge(first[head], second[head]));
        RC_ASSERT(largest_error(merged, exact) <= bound_of(exact, blocks));
        RC_ASSERT(finish(merge(second[head], first[head])) == merged);
    }
}

TEST(FunctionalAttention, a_single_token_returns_its_value) {
    RandomValues random(5);
    const KvShape shape{4, 2, 64, 16};
    const KvPages pages = random.pages(shape, 1, 1.0, 1.0);
    const std::vector<std::int32_t> selected{0};
    const auto heads = attend(pages, random.halves(256, 1.0), selected, 0.125F);
    const auto value = pages.value(0, 0, 1);
    EXPECT_EQ(finish(heads[3]), std::vector<Half>(value.begin(), value.end()));
}

TEST(FunctionalAttention, scores_far_apart_leave_the_best_token_alone) {
    const KvShape shape{1, 1, 64, 4};
    KvPages pages(shape);
    for (int token = 0; token < 8; ++token) {
        std::vector<Half> key(64, to_half(token == 5 ? 100.0F : -100.0F));
        std::vector<Half> value(64, to_half(static_cast<float>(token)));
        pages.append(key, value);
    }
    const std::vector<std::int32_t> both{0, 1};
    const auto heads = attend(pages, std::vector<Half>(64, to_half(10.0F)), both, 0.125F);
    EXPECT_EQ(finish(heads[0]), std::vector<Half>(64, to_half(5.0F)));
}

TEST(FunctionalAttention, a_page_that_stands_out_is_scored_sorted_and_attended) {
    // The chain of the device: digests, scores, merge sort, attention.
    const KvShape shape{4, 2, 64, 16};
    KvPages pages(shape);
    for (std::size_t token = 0; token < 400; ++token) {
        const bool marked = token / 16 == 7;
        pages.append(std::vector<Half>(shape.row(), to_half(marked ? 3.0F : 0.1F)),
                     std::vector<Half>(shape.row(), to_half(marked ? 1.0F : -1.0F)));
    }
    const std::vector<Half> queries(256, to_half(1.0F));
    const auto best = merge_sort_top_k(score_pages(pages, queries), 4, 32).pages;
    EXPECT_EQ(best, (std::vector<std::int32_t>{7, 0, 1, 2}));
    for (const Half value : finish(attend(pages, queries, best, 0.125F)[2])) {
        EXPECT_NEAR(to_float(value), 1.0F, 1e-3F);
    }
}

}  // namespace
}  // namespace memside::pnm
