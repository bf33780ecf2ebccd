// Selecting pages: scoring digests that lie in memory, the best of the scores, lists of pages, and
// what changes in a pool.
#include <algorithm>

#include "base/clock.h"
#include "calibrate/selection_shape.h"
#include "calibrate/workbench.h"
#include "engine/page_selector.h"
#include "kv/counter_random.h"
#include "kv/residency.h"

namespace memside::calibrate {
namespace {

using SelectionShape::budget_pages;
using SelectionShape::head_dim;
using SelectionShape::kv_heads;
using SelectionShape::pages;
using SelectionShape::pool_pages;

std::vector<float> random_values(std::size_t count, std::uint64_t key) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = kv::normal_pair(kv::random_bits(key, i)).sum;
    return values;
}

// Digests of random keys.
struct Digests {
    engine::KvShape shape;
    engine::DigestStore store;

    static Result<std::shared_ptr<Digests>> make(engine::ThreadPool& pool, kv::DigestType type) {
        engine::KvShape shape;
        shape.kv_heads = kv_heads;
        shape.head_dim = head_dim;
        // The smallest pages: digests do not tell how many tokens they stand for.
        shape.page_tokens = engine::min_page_tokens;
        shape.capacity_tokens = pages * shape.page_tokens;
        shape.kept_tokens = {0};
        MEMSIDE_TRY(engine::KvStore keys, engine::KvStore::make(shape));
        keys.fill_random(shape.capacity_tokens, 1, pool);
        engine::DigestConfig config;
        config.type = type;
        MEMSIDE_TRY(engine::DigestStore digests, engine::DigestStore::make(shape, config));
        digests.append(keys, 0, 0, shape.capacity_tokens, pool);
        return std::make_shared<Digests>(Digests{std::move(shape), std::move(digests)});
    }
};

void add_scan(Workbench& bench, engine::ThreadPool& pool, const std::string& name,
              const std::shared_ptr<Digests>& digests, ProbeSet& probes) {
    engine::SelectionConfig config;
    config.budget_tokens = budget_pages * digests->shape.page_tokens;
    config.every_score = true;
    constexpr int heads = 4 * kv_heads;
    const auto selector =
        std::make_shared<engine::PageSelector>(digests->shape, pool, heads, config);
    probes.add(name, [&bench, digests, selector, turn = std::uint64_t{0}]() mutable {
        const auto queries = random_values(std::size_t{heads} * head_dim, kv::key_of({3, ++turn}));
        bench.evict();
        const double begin = seconds_now();
        selector->select(queries.data(), 0, pages, digests->store);
        return seconds_now() - begin;
    });
    if (digests->store.type() != kv::DigestType::f16) return;
    probes.add(name + " of few", [digests, selector] {
        const auto queries = random_values(std::size_t{heads} * head_dim, 5);
        return median_seconds(20, [&] {
            selector->select(queries.data(), 0, engine::digest_block_pages, digests->store);
        });
    });
}

// The best pages of a set whose scores are in the cache, as they are when they have been scored.
double top_page_seconds() {
    const std::vector<float> scores = random_values(static_cast<std::size_t>(pages), 11);
    std::vector<std::uint32_t> keys;
    for (std::size_t at = 0; at < scores.size(); at += kv::score_block_pages) {
        std::uint32_t largest = 0;
        for (std::size_t i = at; i < at + kv::score_block_pages; ++i) {
            largest = std::max(largest, kv::score_key(scores[i]));
        }
        keys.push_back(largest);
    }
    kv::PageList selected;
    return median_seconds(
               20, [&] { kv::select_top_pages_in_blocks(scores, keys, budget_pages, selected); }) /
           static_cast<double>(pages);
}

kv::PageList random_pages(std::int64_t count, std::uint64_t key) {
    const std::vector<float> scores = random_values(static_cast<std::size_t>(pages), key);
    kv::PageList list;
    kv::select_top_pages(scores, count, list);
    return list;
}

// A pool whose half is wanted changes by a third of the budget.
double residency_seconds() {
    const std::vector<float> scores = random_values(static_cast<std::size_t>(pages), 11);
    const kv::PageList resident = random_pages(pool_pages, 13);
    kv::PageList wanted = random_pages(budget_pages / 3, 17);
    for (const kv::PageIndex page : resident) {
        if (std::ssize(wanted) >= budget_pages) break;
        if (!std::ranges::binary_search(wanted, page)) {
            wanted.insert(std::ranges::upper_bound(wanted, page), page);
        }
    }
    kv::PageList after;
    return median_seconds(20,
                          [&] {
                              const kv::ResidencyChange change =
                                  kv::recall_change(scores, wanted, resident, pool_pages);
                              after = kv::resident_after(resident, change);
                          }) /
           static_cast<double>(budget_pages + pool_pages);
}

double list_seconds(bool looked_up) {
    const kv::PageList selected = random_pages(budget_pages, 19);
    const kv::PageList resident = looked_up ? random_pages(pool_pages, 23) : kv::PageList();
    std::vector<engine::KvPage> list;
    const auto build = [&] {
        list.clear();
        for (const kv::PageIndex page : resident) {
            if (std::ranges::binary_search(selected, page)) list.emplace_back();
        }
        for (const kv::PageIndex page : selected) {
            if (!std::ranges::binary_search(resident, page)) list.emplace_back();
        }
    };
    constexpr int lists = 16;
    return median_seconds(20,
                          [&] {
                              for (int i = 0; i < lists; ++i) build();
                          }) /
           static_cast<double>(lists * (budget_pages + (looked_up ? pool_pages : 0)));
}

}  // namespace

Status add_selection_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                            ProbeSet& probes) {
    MEMSIDE_TRY(const auto f16, Digests::make(pool, kv::DigestType::f16));
    MEMSIDE_TRY(const auto int8, Digests::make(pool, kv::DigestType::int8));
    add_scan(bench, pool, prefix + "select f16", f16, probes);
    add_scan(bench, pool, prefix + "select int8", int8, probes);
    probes.add(prefix + "top_page_latency", top_page_seconds);
    probes.add(prefix + "residency_latency", residency_seconds);
    probes.add(prefix + "list_latency", [] { return list_seconds(false); });
    probes.add(prefix + "lookup_latency", [] { return list_seconds(true); });
    return {};
}

}  // namespace memside::calibrate
