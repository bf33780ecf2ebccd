// The residency algorithms as the steady selector of the hardware does them: bit masks, a
// population count, and a counter that walks the sorter's output (Kim et al., PACT 2025). A second
// implementation that must agree with residency.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kv/pages.h"
#include "kv/residency.h"

namespace memside::kv {

// One bit per page of a request.
class PageMask {
  public:
    explicit PageMask(std::int64_t pages) : words_(static_cast<std::size_t>((pages + 63) / 64)) {}
    PageMask(std::int64_t pages, std::span<const PageIndex> set);

    void set(PageIndex page) { words_[page / 64] |= std::uint64_t{1} << (page % 64); }
    bool test(PageIndex page) const { return ((words_[page / 64] >> (page % 64)) & 1U) != 0; }
    std::int64_t count() const;
    PageList list() const;

    // This AND NOT `other`, of the same size.
    PageMask without(const PageMask& other) const;

  private:
    std::vector<std::uint64_t> words_;
};

// Steady selection. `ranking` is the budget set in score order, the sorter's output.
// Evict mask = P AND NOT topk; candidates = topk AND NOT P; the counter takes popcount(evict)
// candidates in sorted order.
ResidencyChange steady_change_by_mask(std::int64_t pages, std::span<const PageIndex> ranking,
                                      std::span<const PageIndex> resident);

// ArkVale recall. `ranking` is every page in score order, of which the first `budget_pages` are
// selected; the counter walks it from its end over P AND NOT topk.
ResidencyChange recall_change_by_mask(std::span<const PageIndex> ranking, std::int64_t budget_pages,
                                      std::span<const PageIndex> resident, std::int64_t pool_pages);

}  // namespace memside::kv
