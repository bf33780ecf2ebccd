// Exact top-k as the merge sorter finds it: bitonic merges of `width` scores per cycle.
//
// While runs are shorter than the width, one pass merges every pair of runs inside the network.
// Longer runs are streamed: the width best stay in the network, the run whose next score is better
// gives the next `width`. A pass takes ceil(n / width) cycles and log2(2 width) to fill the
// network.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace memside::pnm {

struct SortedPages {
    std::vector<std::int32_t> pages;  // the k best, best first; of equal scores the smaller page
    std::int64_t passes = 0;
    std::int64_t cycles = 0;
};

// `width` a power of two of at least 2. Scores must not be NaN. All pages when k exceeds them.
SortedPages merge_sort_top_k(std::span<const float> scores, std::size_t k, std::size_t width);

}  // namespace memside::pnm
