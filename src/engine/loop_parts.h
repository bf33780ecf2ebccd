// Into how many parts the pages that a query attends are split, each attended by one thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace memside::engine {

// A function of the pages alone, so that sums are taken in one order whatever the number of
// threads: logits are the same bytes on every machine with the same kernels, and attending a list
// of all pages gives what dense attention gives. Parts of at least four pages, so that merging
// costs little; at most 32, enough to even out what the threads of a machine are given.
constexpr std::int64_t attention_parts(std::int64_t pages) {
    return std::clamp<std::int64_t>(pages / 4, 1, 32);
}

}  // namespace memside::engine
