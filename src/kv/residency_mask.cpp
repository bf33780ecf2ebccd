#include "kv/residency_mask.h"

#include <bit>
#include <cassert>

namespace memside::kv {
namespace {

// The first `count` pages of a walk whose bit is set in `candidates`.
template <typename Walk>
PageMask take_in_order(std::int64_t pages, const Walk& walk, const PageMask& candidates,
                       std::int64_t count) {
    PageMask taken(pages);
    for (auto page = walk.begin(); page != walk.end() && count > 0; ++page) {
        if (!candidates.test(*page)) continue;
        taken.set(*page);
        --count;
    }
    return taken;
}

}  // namespace

PageMask::PageMask(std::int64_t pages, std::span<const PageIndex> set) : PageMask(pages) {
    for (const PageIndex page : set) this->set(page);
}

std::int64_t PageMask::count() const {
    std::int64_t total = 0;
    for (const std::uint64_t word : words_) total += std::popcount(word);
    return total;
}

PageList PageMask::list() const {
    PageList pages;
    for (std::size_t at = 0; at < words_.size(); ++at) {
        for (std::uint64_t word = words_[at]; word != 0; word &= word - 1) {
            pages.push_back(static_cast<PageIndex>(at * 64) +
                            static_cast<PageIndex>(std::countr_zero(word)));
        }
    }
    return pages;
}

PageMask PageMask::without(const PageMask& other) const {
    assert(words_.size() == other.words_.size());
    PageMask result = *this;
    for (std::size_t at = 0; at < words_.size(); ++at) result.words_[at] &= ~other.words_[at];
    return result;
}

ResidencyChange steady_change_by_mask(std::int64_t pages, std::span<const PageIndex> ranking,
                                      std::span<const PageIndex> resident) {
    const PageMask topk(pages, ranking);
    const PageMask pool(pages, resident);
    const PageMask evict = pool.without(topk);
    const PageMask candidates = topk.without(pool);
    return {take_in_order(pages, ranking, candidates, evict.count()).list(), evict.list()};
}

ResidencyChange recall_change_by_mask(std::span<const PageIndex> ranking, std::int64_t budget_pages,
                                      std::span<const PageIndex> resident,
                                      std::int64_t pool_pages) {
    const auto pages = static_cast<std::int64_t>(ranking.size());
    const PageMask topk(pages,
                        ranking.first(static_cast<std::size_t>(std::min(budget_pages, pages))));
    const PageMask pool(pages, resident);
    const PageMask recall = topk.without(pool);
    const std::int64_t places = recall.count() + pool.count() - pool_pages;
    const std::vector<PageIndex> from_the_end(ranking.rbegin(), ranking.rend());
    return {recall.list(), take_in_order(pages, from_the_end, pool.without(topk), places).list()};
}

}  // namespace memside::kv
