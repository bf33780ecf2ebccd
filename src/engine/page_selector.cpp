#include "engine/page_selector.h"

#include <limits>

#include "kv/layout.h"

namespace memside::engine {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

}  // namespace

PageSelector::PageSelector(const KvShape& shape, ThreadPool& pool, int heads,
                           SelectionConfig config)
    : pool_(pool),
      config_(config),
      budget_pages_(kv::page_count(config.budget_tokens, shape.page_tokens)),
      scan_(shape, pool, heads, config.select_per, config.group_score),
      selected_(index(scan_.sets())) {}

void PageSelector::select(const float* queries, int layer, std::int64_t pages,
                          const DigestStore& digests) {
    // A share of mass is one of all pages.
    const bool every = config_.every_score || config_.budget_mass < 1.0;
    scan_.run(queries, layer, pages, digests, every ? 0 : budget_pages_, config_.pinned);
    pool_.run(sets(), [&](std::int64_t set) { choose(set); });
}

// Pins and top-k of a set whose scores are there.
void PageSelector::choose(std::int64_t set) {
    const std::span<float> scores = scan_.scores(set);
    const std::span<std::uint32_t> keys = scan_.block_keys(set);
    const auto pages = static_cast<std::int64_t>(scores.size());
    kv::PageList& selected = selected_[index(set)];
    std::vector<float> own;
    if (config_.budget_mass < 1.0) own.assign(scores.begin(), scores.end());
    kv::pin_pages(scores, config_.pinned);
    const std::int64_t sink = std::min(config_.pinned.sink, pages);
    const std::int64_t recent = std::min(config_.pinned.recent, pages);
    for (std::int64_t page = 0; page < sink; ++page) {
        keys[index(page / digest_block_pages)] = kv::score_key(infinity);
    }
    for (std::int64_t page = pages - recent; page < pages; ++page) {
        keys[index(page / digest_block_pages)] = kv::score_key(infinity);
    }
    kv::select_top_pages_in_blocks(scores, keys, budget_pages_, selected);
    if (config_.budget_mass < 1.0) {
        kv::PageList ranked = kv::ranked(scores, selected);
        const std::int64_t pinned = std::min(sink + recent, pages);
        const std::int64_t count =
            std::max(kv::pages_of_mass(own, ranked, config_.budget_mass), pinned);
        selected = kv::top_of(scores, selected, count);
    }
}

}  // namespace memside::engine
