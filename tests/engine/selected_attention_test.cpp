#include "engine/selected_attention.h"

#include <cmath>

#include "engine/random_weights.h"

namespace memside::engine {
namespace {

constexpr int heads = 6;
constexpr int kv_heads = 2;
constexpr int dim = 24;
constexpr std::int64_t tokens = 700;
constexpr std::int64_t page_tokens = 16;

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// A sequence with digests of all its pages, and a query.
struct Scene {
    Scene() {
        KvShape shape;
        shape.kv_heads = kv_heads;
        shape.head_dim = dim;
        shape.page_tokens = page_tokens;
        shape.capacity_tokens = tokens;
        shape.kept_tokens = {0};
        store = std::move(KvStore::make(shape)).value();
        for (std::int64_t t = 0; t < tokens; ++t) {
            const auto seed = static_cast<std::uint64_t>(t);
            store.write(0, t, test::random_values(kv_heads * dim, seed).data(),
                        test::random_values(kv_heads * dim, 70000 + seed).data());
        }
        digests = std::move(DigestStore::make(shape, kv::DigestKind::minmax, 1.0F)).value();
        for (std::int64_t page = 0; page * page_tokens < tokens; ++page) {
            for (int h = 0; h < kv_heads; ++h) {
                digests.update(store, 0, page, h,
                               std::min(page_tokens, tokens - page * page_tokens));
            }
        }
        queries = test::random_values(heads * dim, 99, 2.0F);
        call.queries = queries.data();
        call.tokens = 1;
        call.first_position = tokens - 1;
        call.scale = 0.3F;
        call.out = out.data();
    }

    float key(int h, std::int64_t token, int d) const {
        std::vector<float> row(dim);
        store.read_keys(0, token / page_tokens, h, token % page_tokens, 1, row.data());
        return row[index(d)];
    }

    KvStore store;
    DigestStore digests;
    std::vector<float> queries;
    std::vector<float> out = std::vector<float>(heads * dim);
    AttentionCall call;
};

TEST(SelectedAttention, a_budget_of_all_tokens_is_dense_attention) {
    Scene scene;
    ThreadPool pool(2);
    Attention(scene.store, pool, heads).run(scene.call);
    const std::vector<float> dense = scene.out;
    SelectedAttention selected(scene.store, pool, heads, {tokens, {}});
    selected.run(scene.call, scene.digests);
    for (std::size_t i = 0; i < dense.size(); ++i) EXPECT_NEAR(scene.out[i], dense[i], 2e-6);
}

void expect_best_pages(kv::GroupScore how) {
    Scene scene;
    ThreadPool pool(1);
    SelectedAttention selected(scene.store, pool, heads, {160, {1, 2}, how});
    selected.run(scene.call, scene.digests);
    const std::int64_t pages = (tokens + page_tokens - 1) / page_tokens;
    for (int h = 0; h < kv_heads; ++h) {
        // The scores by kv/'s own function, from corners found by looking at every key.
        std::vector<float> scores(index(pages));
        for (std::int64_t page = 0; page < pages; ++page) {
            std::vector<float> low(dim, HUGE_VALF);
            std::vector<float> high(dim, -HUGE_VALF);
            for (std::int64_t t = page * page_tokens;
                 t < std::min((page + 1) * page_tokens, tokens); ++t) {
                for (int d = 0; d < dim; ++d) {
                    low[index(d)] = std::min(low[index(d)], scene.key(h, t, d));
                    high[index(d)] = std::max(high[index(d)], scene.key(h, t, d));
                }
            }
            for (int g = 0; g < heads / kv_heads; ++g) {
                const auto query =
                    std::span(scene.queries).subspan(index((h * heads / kv_heads + g) * dim), dim);
                const float score = kv::page_score(query, low, high);
                float& total = scores[index(page)];
                const bool mean = how == kv::GroupScore::mean;
                total = g == 0 ? score : mean ? total + score : std::max(total, score);
            }
        }
        kv::pin_pages(scores, {1, 2});
        kv::PageList want;
        kv::select_top_pages(scores, 10, want);
        EXPECT_EQ(selected.selected(h), want) << "KV head " << h;
    }
}

TEST(SelectedAttention, attends_the_pages_with_the_highest_mean_scores_and_the_pinned_ones) {
    expect_best_pages(kv::GroupScore::mean);
}

TEST(SelectedAttention, attends_the_pages_with_the_highest_maxima_when_asked_to) {
    expect_best_pages(kv::GroupScore::max);
}

TEST(SelectedAttention, what_it_attends_is_softmax_over_the_selected_tokens_alone) {
    Scene scene;
    ThreadPool pool(2);
    SelectedAttention selected(scene.store, pool, heads, {96, {1, 1}});
    selected.run(scene.call, scene.digests);
    for (int head = 0; head < heads; ++head) {
        const int h = head * kv_heads / heads;
        double sum = 0.0;
        std::vector<double> want(dim);
        for (const kv::PageIndex page : selected.selected(h)) {
            for (std::int64_t t = page * page_tokens;
                 t < std::min<std::int64_t>((page + 1) * page_tokens, tokens); ++t) {
                double dot = 0.0;
                for (int d = 0; d < dim; ++d) {
                    dot += static_cast<double>(scene.queries[index(head * dim + d)]) *
                           static_cast<double>(scene.key(h, t, d));
                }
                const double weight = std::exp(dot * static_cast<double>(scene.call.scale));
                sum += weight;
                std::vector<float> value(dim);
                scene.store.read_values(0, page, h, t % page_tokens, 1, value.data());
                for (int d = 0; d < dim; ++d) {
                    want[index(d)] += weight * static_cast<double>(value[index(d)]);
                }
            }
        }
        for (int d = 0; d < dim; ++d) {
            EXPECT_NEAR(scene.out[index(head * dim + d)], want[index(d)] / sum, 3e-6);
        }
    }
}

}  // namespace
}  // namespace memside::engine
