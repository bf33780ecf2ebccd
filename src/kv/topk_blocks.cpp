// Top-k by blocks of 16 pages: as many blocks as pages are wanted have a page each that reaches the
// key of the last of those blocks, so no page below it is in. That leaves a few candidates, found
// in the blocks that reach it.
#include <cassert>
#include <numeric>

#include "kv/selection.h"

namespace memside::kv {
namespace {

struct Candidate {
    std::uint32_t key;
    PageIndex page;
};

// Fewer pages than these are all candidates where blocks do not help: below it, the histograms of
// the radix variant take longer to clear than the pages to look at.
constexpr std::size_t few_pages = 2048;

// The key that `count` of `keys` reach. Reorders them.
std::uint32_t key_reached_by(std::vector<std::uint32_t>& keys, std::size_t count) {
    const auto last = keys.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    std::nth_element(keys.begin(), last, keys.end(), std::greater<>());
    return *last;
}

// Pages whose key reaches `floor`, in page order, out of the blocks that reach it.
std::vector<Candidate> candidates_above(std::span<const float> scores,
                                        std::span<const std::uint32_t> block_keys,
                                        std::uint32_t floor) {
    const auto reaches = [&](std::uint32_t key) { return key >= floor; };
    const auto blocks = static_cast<std::size_t>(std::ranges::count_if(block_keys, reaches));
    std::vector<Candidate> candidates(blocks * score_block_pages);
    std::size_t kept = 0;
    for (std::size_t block = 0; block < block_keys.size(); ++block) {
        if (!reaches(block_keys[block])) continue;
        const std::size_t first = block * score_block_pages;
        const std::size_t last = std::min(first + score_block_pages, scores.size());
        // Branch-free: which page of the block reaches it is close to random.
        for (std::size_t page = first; page < last; ++page) {
            const std::uint32_t key = score_key(scores[page]);
            candidates[kept] = {key, static_cast<PageIndex>(page)};
            kept += reaches(key) ? 1U : 0U;
        }
    }
    candidates.resize(kept);
    return candidates;
}

}  // namespace

void select_top_pages_in_blocks(std::span<const float> scores,
                                std::span<const std::uint32_t> block_keys, std::int64_t count,
                                PageList& selected) {
    assert(block_keys.size() == (scores.size() + score_block_pages - 1) / score_block_pages);
    selected.clear();
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
    if (wanted == 0) return;
    if (wanted >= scores.size()) {
        selected.resize(scores.size());
        std::iota(selected.begin(), selected.end(), PageIndex{0});
        return;
    }
    std::vector<std::uint32_t> keys;
    std::uint32_t floor = 0;
    if (2 * wanted <= block_keys.size()) {
        keys.assign(block_keys.begin(), block_keys.end());
        floor = key_reached_by(keys, wanted);
    } else if (scores.size() > few_pages) {
        return select_top_pages_by_radix(scores, count, selected);
    }
    const std::vector<Candidate> candidates = candidates_above(scores, block_keys, floor);
    // Only keys that are not those of the scores, as a NaN among them may leave, come to this.
    if (candidates.size() < wanted) return select_top_pages_by_radix(scores, count, selected);

    keys.clear();
    for (const Candidate& candidate : candidates) keys.push_back(candidate.key);
    const std::uint32_t threshold = key_reached_by(keys, wanted);
    // Equal keys: the first pages.
    std::size_t ties = wanted;
    for (const Candidate& candidate : candidates) ties -= candidate.key > threshold ? 1U : 0U;
    for (const Candidate& candidate : candidates) {
        const bool tie = candidate.key == threshold && ties > 0;
        if (candidate.key > threshold || tie) selected.push_back(candidate.page);
        ties -= tie ? 1U : 0U;
    }
}

void select_top_pages_by_blocks(std::span<const float> scores, std::int64_t count,
                                PageList& selected) {
    constexpr std::size_t width = score_block_pages;
    std::vector<std::uint32_t> block_keys((scores.size() + width - 1) / width);
    for (std::size_t block = 0; block < block_keys.size(); ++block) {
        const std::size_t last = std::min((block + 1) * width, scores.size());
        std::uint32_t largest = 0;
        for (std::size_t page = block * width; page < last; ++page) {
            largest = std::max(largest, score_key(scores[page]));
        }
        block_keys[block] = largest;
    }
    select_top_pages_in_blocks(scores, block_keys, count, selected);
}

}  // namespace memside::kv
