// Selection: which pages a step attends. The pages with the highest scores within a budget, with
// sink pages (the oldest) and recent pages (the newest) always among them.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/pages.h"

namespace memside::kv {

// Pages that are in whatever their score; they count within the budget.
struct PinnedPages {
    std::int64_t sink = 0;    // page 0 and the next ones: first tokens draw attention always
    std::int64_t recent = 0;  // the last ones, the page being written included
};

// Raises the score of pinned pages to +infinity. A pin is a score, so that selection, residency
// and the hardware's sorter need no second rule for it. scores: f32 [pages].
void pin_pages(std::span<float> scores, PinnedPages pinned);

// bad_input at `where` unless the budget's pages, ceil(budget_tokens / page_tokens), hold all
// pinned pages: a pin that selection could drop would be no pin.
Status check_budget(std::int64_t budget_tokens, std::int64_t page_tokens, PinnedPages pinned,
                    const std::string& where);

// The order of scores, as unsigned integers that ascend with them: NaN lowest, then -infinity; -0
// equals +0. Inline, so that loops over pages become vector code.
inline std::uint32_t score_key(float score) {
    // Adding +0 turns -0 into +0, so that the tie rule sees them as equal.
    const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);
    const std::uint32_t sign = bits >> 31;
    const std::uint32_t key = bits ^ ((0U - sign) | 0x80000000U);
    return score == score ? key : 0U;
}

// True when page `a` ranks before page `b`: higher score first, equal scores by lower index.
inline bool ranks_before(std::span<const float> scores, PageIndex a, PageIndex b) {
    const std::uint32_t key_a = score_key(scores[a]);
    const std::uint32_t key_b = score_key(scores[b]);
    return key_a != key_b ? key_a > key_b : a < b;
}

// The `count` pages that rank first, all of them when there are fewer. scores: f32 [pages].
// Replaces `selected`. Linear in pages.
void select_top_pages(std::span<const float> scores, std::int64_t count, PageList& selected);

// Pages of a block of the keys below.
inline constexpr std::int64_t score_block_pages = 16;

// select_top_pages for who knows, of every 16 pages from page 0 on, the largest score_key: where
// the count is small against the blocks, most pages are not looked at.
void select_top_pages_in_blocks(std::span<const float> scores,
                                std::span<const std::uint32_t> block_keys, std::int64_t count,
                                PageList& selected);

// How many pages of `rank_order`, as ranked() gives it, hold the share `mass` of the softmax over
// all pages, sum of 2^score: the fewest whose sum reaches it, at least one, at most all of them.
// scores: f32 [pages], not NaN, without pins. The sums are f64.
std::int64_t pages_of_mass(std::span<const float> scores, std::span<const PageIndex> rank_order,
                           double mass);

// The `count` of `candidates` that rank first, in ascending page order.
PageList top_of(std::span<const float> scores, std::span<const PageIndex> candidates,
                std::int64_t count);

// The `count` of `candidates` that rank last, in ascending page order.
PageList bottom_of(std::span<const float> scores, std::span<const PageIndex> candidates,
                   std::int64_t count);

// All of `candidates` in rank order, as the hardware's merge sorter delivers them.
std::vector<PageIndex> ranked(std::span<const float> scores, std::span<const PageIndex> candidates);

struct TopPagesVariant {
    std::string_view name;
    void (*select)(std::span<const float> scores, std::int64_t count, PageList& selected);
};

// Implementations of select_top_pages: the one in use first, the reference last.
std::span<const TopPagesVariant> top_pages_variants();

// One file each.
void select_top_pages_by_blocks(std::span<const float> scores, std::int64_t count,
                                PageList& selected);
void select_top_pages_by_radix(std::span<const float> scores, std::int64_t count,
                               PageList& selected);
void select_top_pages_by_sort(std::span<const float> scores, std::int64_t count,
                              PageList& selected);

}  // namespace memside::kv
