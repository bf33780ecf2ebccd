#include <cassert>

#include "kv/residency.h"
#include "kv/selection.h"

namespace memside::kv {

ResidencyChange recall_change(std::span<const float> scores, std::span<const PageIndex> selected,
                              std::span<const PageIndex> resident, std::int64_t pool_pages) {
    assert(static_cast<std::int64_t>(selected.size()) <= pool_pages);
    assert(static_cast<std::int64_t>(resident.size()) <= pool_pages);
    ResidencyChange change;
    change.recalled = pages_without(selected, resident);
    const std::int64_t free_pages = pool_pages - static_cast<std::int64_t>(resident.size());
    const std::int64_t places = static_cast<std::int64_t>(change.recalled.size()) - free_pages;
    if (places > 0) {
        change.evicted = bottom_of(scores, pages_without(resident, selected), places);
    }
    return change;
}

}  // namespace memside::kv
