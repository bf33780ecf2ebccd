// Top-k by sorting every page: the reference.
#include <numeric>

#include "kv/selection.h"

namespace memside::kv {

void select_top_pages_by_sort(std::span<const float> scores, std::int64_t count,
                              PageList& selected) {
    selected.resize(scores.size());
    std::iota(selected.begin(), selected.end(), PageIndex{0});
    std::sort(selected.begin(), selected.end(),
              [&](PageIndex a, PageIndex b) { return ranks_before(scores, a, b); });
    selected.resize(
        std::min(selected.size(), static_cast<std::size_t>(std::max<std::int64_t>(count, 0))));
    std::sort(selected.begin(), selected.end());
}

}  // namespace memside::kv
