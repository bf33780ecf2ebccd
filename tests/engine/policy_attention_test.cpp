#include "engine/policy_attention.h"

#include <cmath>
#include <numbers>
#include <set>

#include "engine/random_weights.h"
#include "kv/selection.h"

namespace memside::engine {
namespace {

constexpr int heads = 6;
constexpr int kv_heads = 2;
constexpr int group = heads / kv_heads;
constexpr int dim = 24;
constexpr std::int64_t page_tokens = 16;
constexpr std::int64_t capacity = 1200;

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

// A sequence of one layer that grows token by token.
struct Scene {
    explicit Scene(kv::ValueType type = kv::ValueType::f16) : pool(2) {
        KvShape shape;
        shape.kv_heads = kv_heads;
        shape.head_dim = dim;
        shape.page_tokens = page_tokens;
        shape.capacity_tokens = capacity;
        shape.kept_tokens = {0};
        shape.type = type;
        store = std::move(KvStore::make(shape)).value();
        call.tokens = 1;
        call.scale = 0.3F;
        call.out = out.data();
    }

    std::unique_ptr<PolicyAttention> make(const KvPolicy& policy) {
        auto made = PolicyAttention::make(store, pool, heads, policy, {true});
        EXPECT_TRUE(made.ok()) << made.error().message();
        return std::move(made).value();
    }

    // Keys drift slowly, so that neighbouring steps want similar pages, and jump now and then.
    void add_token(std::int64_t t) {
        const std::uint64_t seed = salt + static_cast<std::uint64_t>(t);
        std::vector<float> keys = test::random_values(kv_heads * dim, seed);
        const std::vector<float> around =
            test::random_values(kv_heads * dim, 500000 + seed / 48, 2.0F);
        for (std::size_t i = 0; i < keys.size(); ++i) keys[i] += around[i];
        store.write(0, t, keys.data(), test::random_values(kv_heads * dim, 70000 + seed).data());
    }

    void set_query(std::int64_t step) {
        queries = test::random_values(heads * dim, 900000 + static_cast<std::uint64_t>(step / 4));
        const std::vector<float> change =
            test::random_values(heads * dim, 800000 + static_cast<std::uint64_t>(step), 0.4F);
        for (std::size_t i = 0; i < queries.size(); ++i) queries[i] += change[i];
        call.queries = queries.data();
    }

    // Writes token `t` and attends to everything up to it.
    void step(PolicyAttention& attention, std::int64_t t) {
        add_token(t);
        ASSERT_TRUE(attention.append(0, t, 1).ok());
        set_query(t);
        call.first_position = t;
        ASSERT_TRUE(attention.run(call).ok());
    }

    void fill(PolicyAttention& attention, std::int64_t tokens) {
        for (std::int64_t t = 0; t < tokens; ++t) add_token(t);
        ASSERT_TRUE(attention.append(0, 0, tokens).ok());
    }

    // Softmax attention of a query head over `pages` alone, f64.
    std::vector<double> attend(int head, const kv::PageList& pages) const {
        const int h = head / group;
        double sum = 0.0;
        std::vector<double> result(dim);
        for (const kv::PageIndex page : pages) {
            const std::int64_t end =
                std::min<std::int64_t>((page + 1) * page_tokens, call.first_position + 1);
            const KvPage at = store.page(0, page, h);
            for (std::int64_t t = page * page_tokens; t < end; ++t) {
                double dot = 0.0;
                for (int d = 0; d < dim; ++d) {
                    dot += static_cast<double>(queries[index(head * dim + d)]) * key(h, t, d);
                }
                const double weight = std::exp(dot * static_cast<double>(call.scale));
                sum += weight;
                for (int d = 0; d < dim; ++d) {
                    result[index(d)] +=
                        weight * static_cast<double>(stored_value(at, store.shape().value_stride(),
                                                                  t % page_tokens, d));
                }
            }
        }
        for (double& value : result) value /= sum;
        return result;
    }

    double key(int h, std::int64_t token, int d) const {
        return static_cast<double>(
            stored_key(store.page(0, token / page_tokens, h), page_tokens, token % page_tokens, d));
    }

    // Scores of the pages of a KV head by kv/'s own function from corners found by looking at every
    // key, the mean of the group's heads, pins raised.
    std::vector<float> scores(int h, kv::PinnedPages pinned) const {
        const std::int64_t pages = call.first_position / page_tokens + 1;
        std::vector<float> result(index(pages));
        for (std::int64_t page = 0; page < pages; ++page) {
            std::vector<float> low(dim, HUGE_VALF);
            std::vector<float> high(dim, -HUGE_VALF);
            const std::int64_t end = std::min((page + 1) * page_tokens, call.first_position + 1);
            for (std::int64_t t = page * page_tokens; t < end; ++t) {
                for (int d = 0; d < dim; ++d) {
                    const auto value = static_cast<float>(key(h, t, d));
                    low[index(d)] = std::min(low[index(d)], value);
                    high[index(d)] = std::max(high[index(d)], value);
                }
            }
            for (int g = 0; g < group; ++g) {
                const auto query =
                    std::span(queries).subspan(index((h * group + g) * dim), index(dim));
                result[index(page)] += kv::page_score(query, low, high);
            }
        }
        kv::pin_pages(result, pinned);
        return result;
    }

    std::uint64_t salt = 0;  // other tokens for another one
    ThreadPool pool;
    KvStore store;
    std::vector<float> queries;
    std::vector<float> out = std::vector<float>(heads * dim);
    AttentionCall call;
};

KvPolicy policy_of(std::string_view name, std::int64_t budget_tokens, kv::PinnedPages pinned = {}) {
    KvPolicy policy;
    policy.variant = &kv_policy_variant(name);
    policy.selection.budget_tokens = budget_tokens;
    policy.selection.pinned = pinned;
    return policy;
}

void expect_attends_selected(const Scene& scene, const PolicyAttention& attention) {
    // Against int8 keys and values, queries and weights are rounded to 16 bits (attention_vnni.h).
    const double rounding = scene.store.shape().type == kv::ValueType::int8 ? 3e-5 : 5e-6;
    const PageSets& sets = attention.sets();
    for (std::int64_t set = 0; set < sets.count(); ++set) {
        for (int head = sets.first_head(set, 0);
             head < sets.first_head(set, 0) + sets.kv_heads() * sets.rows(); ++head) {
            const std::vector<double> want = scene.attend(head, attention.selected(set));
            for (int d = 0; d < dim; ++d) {
                ASSERT_NEAR(static_cast<double>(scene.out[index(head * dim + d)]), want[index(d)],
                            rounding)
                    << "head " << head << " at " << scene.call.first_position;
            }
        }
    }
}

constexpr std::string_view selecting[] = {"pnm-kv", "png-kv", "recall"};

TEST(PolicyAttention, every_policy_attends_the_selected_pages_and_nothing_else) {
    for (const std::string_view name : selecting) {
        for (const kv::SelectPer per :
             {kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head}) {
            Scene scene;
            KvPolicy policy = policy_of(name, 160, {1, 2});
            policy.selection.select_per = per;
            const auto attention = scene.make(policy);
            scene.fill(*attention, 500);
            for (std::int64_t t = 500; t < 560; ++t) {
                scene.step(*attention, t);
                for (std::int64_t set = 0; set < attention->sets().count(); ++set) {
                    ASSERT_EQ(attention->selected(set).size(), 10U);
                }
                ASSERT_NO_FATAL_FAILURE(expect_attends_selected(scene, *attention)) << name;
            }
        }
    }
}

TEST(PolicyAttention, keys_and_values_of_every_type_are_attended_and_copied_as_stored) {
    for (const kv::ValueType type :
         {kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8}) {
        Scene scene(type);
        const auto attention = scene.make(policy_of("recall", 160, {1, 2}));
        scene.fill(*attention, 500);
        for (std::int64_t t = 500; t < 540; ++t) {
            scene.step(*attention, t);
            ASSERT_NO_FATAL_FAILURE(expect_attends_selected(scene, *attention));
        }
        EXPECT_GT(attention->counts().pool_bytes, 0);
    }
}

TEST(PolicyAttention, a_budget_of_the_whole_sequence_attends_everything_and_scores_nothing) {
    for (const std::string_view name : selecting) {
        Scene scene;
        const auto attention = scene.make(policy_of(name, capacity));
        for (std::int64_t t = 0; t < 100; ++t) {
            scene.step(*attention, t);
            ASSERT_EQ(static_cast<std::int64_t>(attention->selected(0).size()),
                      t / page_tokens + 1);
            ASSERT_NO_FATAL_FAILURE(expect_attends_selected(scene, *attention)) << name;
        }
        EXPECT_EQ(attention->counts().pages_scanned, 0);
    }
}

// A step's pages without the one that is being written, which is attended where it is written.
std::set<kv::PageIndex> without_newest(const kv::PageList& pages, const Scene& scene) {
    std::set<kv::PageIndex> result(pages.begin(), pages.end());
    result.erase(static_cast<kv::PageIndex>(scene.call.first_position / page_tokens));
    return result;
}

TEST(PolicyAttention, recall_makes_every_selected_page_resident_and_evicts_the_lowest_scored) {
    Scene scene;
    KvPolicy policy = policy_of("recall", 128, {1, 1});
    const std::int64_t places = 11;
    policy.pool_bytes = places * kv_heads * scene.store.shape().page_bytes();
    const auto attention = scene.make(policy);
    scene.fill(*attention, 600);
    std::set<kv::PageIndex> pool[kv_heads];
    std::int64_t recalled = 0;
    std::int64_t filled = 0;
    for (std::int64_t t = 600; t < 680; ++t) {
        scene.step(*attention, t);
        for (int h = 0; h < kv_heads; ++h) {
            const std::vector<float> scores = scene.scores(h, {1, 1});
            const auto wanted = without_newest(attention->selected(h), scene);
            std::int64_t missing = 0;
            const bool empty = pool[h].empty();
            for (const kv::PageIndex page : wanted) missing += pool[h].insert(page).second ? 1 : 0;
            (empty ? filled : recalled) += missing;
            while (static_cast<std::int64_t>(pool[h].size()) > places) {
                kv::PageIndex lowest = 0;
                bool found = false;
                for (const kv::PageIndex page : pool[h]) {
                    if (wanted.contains(page)) continue;
                    if (!found || kv::ranks_before(scores, lowest, page)) lowest = page;
                    found = true;
                }
                pool[h].erase(lowest);
            }
            ASSERT_EQ(attention->resident(0, h), kv::PageList(pool[h].begin(), pool[h].end()))
                << "KV head " << h << " at " << t;
        }
    }
    EXPECT_EQ(attention->counts().pages_recalled, recalled);
    EXPECT_EQ(attention->counts().pages_filled, filled);
    EXPECT_GT(recalled, 20);
}

TEST(PolicyAttention, a_steady_page_stays_until_it_drops_out_of_the_budget) {
    Scene scene;
    KvPolicy policy = policy_of("png-kv", 160, {1, 1});
    policy.steady_tokens = 5 * page_tokens;
    const auto attention = scene.make(policy);
    scene.fill(*attention, 600);
    std::set<kv::PageIndex> pool[kv_heads];
    std::int64_t recalled = 0;
    for (std::int64_t t = 600; t < 680; ++t) {
        scene.step(*attention, t);
        for (int h = 0; h < kv_heads; ++h) {
            const std::vector<float> scores = scene.scores(h, {1, 1});
            const auto wanted = without_newest(attention->selected(h), scene);
            const std::size_t before = pool[h].size();
            std::erase_if(pool[h], [&](kv::PageIndex page) { return !wanted.contains(page); });
            if (before > 0) recalled += static_cast<std::int64_t>(5 - pool[h].size());
            while (pool[h].size() < 5) {
                kv::PageIndex best = 0;
                bool found = false;
                for (const kv::PageIndex page : wanted) {
                    if (pool[h].contains(page)) continue;
                    if (!found || kv::ranks_before(scores, page, best)) best = page;
                    found = true;
                }
                pool[h].insert(best);
            }
            ASSERT_EQ(attention->resident(0, h), kv::PageList(pool[h].begin(), pool[h].end()))
                << "KV head " << h << " at " << t;
        }
    }
    EXPECT_EQ(attention->counts().pages_recalled, recalled);
    EXPECT_EQ(attention->counts().pages_filled, 5 * kv_heads);
    EXPECT_GT(recalled, 10);
}

TEST(PolicyAttention, a_sticky_selection_serves_its_steps_and_takes_new_pages_in) {
    Scene scene;
    KvPolicy policy = policy_of("pnm-kv", 96, {1, 1});
    policy.reselect_steps = 40;
    const auto attention = scene.make(policy);
    scene.fill(*attention, 500);
    scene.step(*attention, 500);
    const kv::PageList chosen = attention->selected(1);
    const std::int64_t scanned = attention->counts().pages_scanned;
    for (std::int64_t t = 501; t < 540; ++t) {
        scene.step(*attention, t);
        kv::PageList want = chosen;
        for (std::int64_t page = 500 / page_tokens + 1; page <= t / page_tokens; ++page) {
            want.push_back(static_cast<kv::PageIndex>(page));
        }
        ASSERT_EQ(attention->selected(1), want) << "at " << t;
        ASSERT_NO_FATAL_FAILURE(expect_attends_selected(scene, *attention));
    }
    EXPECT_EQ(attention->counts().pages_scanned, scanned);
    scene.step(*attention, 540);
    EXPECT_GT(attention->counts().pages_scanned, scanned);
    EXPECT_EQ(attention->selected(1).size(), 6U);
}

TEST(PolicyAttention, a_sequence_that_was_cut_goes_on_like_a_new_one) {
    for (const std::string_view name : selecting) {
        Scene scene;
        const auto attention = scene.make(policy_of(name, 96, {1, 1}));
        scene.fill(*attention, 393);
        scene.salt = 3000000;
        for (std::int64_t t = 393; t < 720; ++t) scene.step(*attention, t);
        attention->truncate(393);
        scene.salt = 0;
        for (std::int64_t t = 393; t < 420; ++t) {
            scene.add_token(t);
            ASSERT_TRUE(attention->append(0, t, 1).ok());
        }
        for (std::int64_t t = 420; t < 440; ++t) scene.step(*attention, t);
        Scene fresh;
        const auto again = fresh.make(policy_of(name, 96, {1, 1}));
        fresh.fill(*again, 420);
        for (std::int64_t t = 420; t < 440; ++t) fresh.step(*again, t);
        for (int h = 0; h < kv_heads; ++h) EXPECT_EQ(attention->selected(h), again->selected(h));
        for (std::size_t i = 0; i < scene.out.size(); ++i) {
            EXPECT_NEAR(scene.out[i], fresh.out[i], 2e-6) << name;
        }
    }
}

TEST(PolicyAttention, counts_are_bytes_and_pages_of_what_was_attended) {
    for (const std::string_view name : selecting) {
        Scene scene;
        const auto attention = scene.make(policy_of(name, 128, {1, 1}));
        scene.fill(*attention, 640);
        attention->reset_counts();
        for (std::int64_t t = 640; t < 650; ++t) scene.step(*attention, t);
        const PolicyCounts& counts = attention->counts();
        EXPECT_EQ(counts.sets, 10 * kv_heads);
        EXPECT_EQ(counts.pages_selected, 8 * counts.sets);
        EXPECT_EQ(counts.kv_bytes, counts.pages_selected * scene.store.shape().page_bytes());
        EXPECT_EQ(counts.copied_bytes,
                  (counts.pages_recalled + counts.pages_filled) * scene.store.shape().page_bytes());
        const std::int64_t page = scene.store.shape().page_bytes();
        // All but the page being written is in recall's pool, half of the budget in a steady one.
        const std::int64_t in_pool = name == "recall" ? 7 : name == "png-kv" ? 4 : 0;
        EXPECT_EQ(counts.pool_bytes, in_pool * counts.sets * page) << name;
    }
}

TEST(PolicyAttention, a_pool_smaller_than_the_budget_is_refused_for_recall) {
    Scene scene;
    KvPolicy policy = policy_of("recall", 128);
    policy.pool_bytes = 7 * kv_heads * scene.store.shape().page_bytes();
    const auto made = PolicyAttention::make(scene.store, scene.pool, heads, policy, {true});
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().exit_status(), 2);
    EXPECT_THAT(made.error().message(), testing::HasSubstr("--kv-pool"));
}

}  // namespace
}  // namespace memside::engine
