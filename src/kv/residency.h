// Residency: which pages are kept in the fast pool, and what a step moves. Plain functions on score
// arrays, run per request and layer; `simulate` and `run` call the same ones.
//
// S is the request's pages by score, descending (ties: lower index first); `selected` is the budget
// set S[:K]; P is the resident set. Algorithms: Kim et al., PACT 2025
// (arXiv 2511.00321), and ArkVale (NeurIPS 2024) for recall.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "kv/pages.h"

namespace memside::kv {

// What one step moves. The lists have no page in common.
struct ResidencyChange {
    PageList recalled;  // not resident before, resident after
    PageList evicted;   // resident before, not after
};

// ArkVale recall: every selected page has to be resident before the step attends. Recalls
// r = selected - P; evicts the |r| lowest-scored pages of P - selected, fewer while the pool of
// `pool_pages` has free places. The pool must hold the selected set.
ResidencyChange recall_change(std::span<const float> scores, std::span<const PageIndex> selected,
                              std::span<const PageIndex> resident, std::int64_t pool_pages);

// Steady selection: a resident page leaves only when it drops out of the budget set. Evicts
// e = P - selected and recalls the first |e| of selected - P in score order; |P| stays constant,
// unless fewer pages are selected than were resident, and selected pages that are not resident are
// attended where they are.
ResidencyChange steady_change(std::span<const float> scores, std::span<const PageIndex> selected,
                              std::span<const PageIndex> resident, std::int64_t pool_pages);

// Nothing is resident: every page is attended where it is.
ResidencyChange no_change(std::span<const float> scores, std::span<const PageIndex> selected,
                          std::span<const PageIndex> resident, std::int64_t pool_pages);

// The resident set after the change.
PageList resident_after(std::span<const PageIndex> resident, const ResidencyChange& change);

struct ResidencyVariant {
    std::string_view name;
    ResidencyChange (*change)(std::span<const float> scores, std::span<const PageIndex> selected,
                              std::span<const PageIndex> resident, std::int64_t pool_pages);

    // Pages that a pool of `pool_pages` keeps resident when `budget_pages` are selected.
    std::int64_t (*kept)(std::int64_t pool_pages, std::int64_t budget_pages);
};

// recall, steady, none.
std::span<const ResidencyVariant> residency_variants();

// The variant of that name; it must exist.
const ResidencyVariant& residency_variant(std::string_view name);

}  // namespace memside::kv
