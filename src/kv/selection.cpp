#include "kv/selection.h"

#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "kv/layout.h"

namespace memside::kv {
namespace {

constexpr std::array<TopPagesVariant, 3> variants{{{"blocks", select_top_pages_by_blocks},
                                                   {"radix", select_top_pages_by_radix},
                                                   {"sort", select_top_pages_by_sort}}};

// The first `count` of `candidates` in the order `before`, in ascending page order.
template <typename Before>
PageList first_of(std::span<const PageIndex> candidates, std::int64_t count, Before before) {
    PageList pages(candidates.begin(), candidates.end());
    if (count < static_cast<std::int64_t>(pages.size())) {
        std::nth_element(pages.begin(), pages.begin() + count, pages.end(), before);
        pages.resize(static_cast<std::size_t>(count));
        std::sort(pages.begin(), pages.end());
    }
    return pages;
}

}  // namespace

void pin_pages(std::span<float> scores, PinnedPages pinned) {
    const auto pages = static_cast<std::int64_t>(scores.size());
    const auto sink = static_cast<std::size_t>(std::min(pinned.sink, pages));
    const auto recent = static_cast<std::size_t>(std::min(pinned.recent, pages));
    std::ranges::fill(scores.first(sink), std::numeric_limits<float>::infinity());
    std::ranges::fill(scores.last(recent), std::numeric_limits<float>::infinity());
}

Status check_budget(std::int64_t budget_tokens, std::int64_t page_tokens, PinnedPages pinned,
                    const std::string& where) {
    const std::int64_t needed = pinned.sink + pinned.recent;
    const std::int64_t budget_pages = page_count(budget_tokens, page_tokens);
    if (budget_pages >= needed && budget_pages >= 1) return {};
    return bad_input(
        where, fmt::format("{} tokens are {} pages of {}, fewer than the {} sink and "
                           "{} recent pages; allowed: at least {} tokens",
                           budget_tokens, budget_pages, page_tokens, pinned.sink, pinned.recent,
                           std::max<std::int64_t>(needed, 1) * page_tokens));
}

void select_top_pages(std::span<const float> scores, std::int64_t count, PageList& selected) {
    variants.front().select(scores, count, selected);
}

std::int64_t pages_of_mass(std::span<const float> scores, std::span<const PageIndex> rank_order,
                           double mass) {
    // Weights are relative to the largest score, so that none overflows.
    const float largest = scores.empty() ? 0.0F : *std::ranges::max_element(scores);
    const auto weight = [&](float score) -> double { return std::exp2(score - largest); };
    double total = 0.0;
    for (const float score : scores) total += weight(score);
    double reached = 0.0;
    std::int64_t count = 0;
    for (const PageIndex page : rank_order) {
        reached += weight(scores[page]);
        ++count;
        if (reached >= mass * total) break;
    }
    return count;
}

PageList top_of(std::span<const float> scores, std::span<const PageIndex> candidates,
                std::int64_t count) {
    return first_of(candidates, count,
                    [&](PageIndex a, PageIndex b) { return ranks_before(scores, a, b); });
}

PageList bottom_of(std::span<const float> scores, std::span<const PageIndex> candidates,
                   std::int64_t count) {
    return first_of(candidates, count,
                    [&](PageIndex a, PageIndex b) { return ranks_before(scores, b, a); });
}

std::vector<PageIndex> ranked(std::span<const float> scores,
                              std::span<const PageIndex> candidates) {
    std::vector<PageIndex> pages(candidates.begin(), candidates.end());
    std::sort(pages.begin(), pages.end(),
              [&](PageIndex a, PageIndex b) { return ranks_before(scores, a, b); });
    return pages;
}

std::span<const TopPagesVariant> top_pages_variants() {
    return variants;
}

}  // namespace memside::kv
