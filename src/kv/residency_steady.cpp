#include <cassert>

#include "kv/residency.h"
#include "kv/selection.h"

namespace memside::kv {

ResidencyChange steady_change(std::span<const float> scores, std::span<const PageIndex> selected,
                              std::span<const PageIndex> resident,
                              [[maybe_unused]] std::int64_t pool_pages) {
    assert(static_cast<std::int64_t>(resident.size()) <= pool_pages);
    ResidencyChange change;
    change.evicted = pages_without(resident, selected);
    change.recalled = top_of(scores, pages_without(selected, resident),
                             static_cast<std::int64_t>(change.evicted.size()));
    return change;
}

}  // namespace memside::kv
