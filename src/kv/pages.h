// Pages by index, and lists of them. A page is the unit of selection and residency: a power-of-two
// number of consecutive tokens of one request in one layer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace memside::kv {

// Position of a page in its request: page 0 holds the oldest tokens.
using PageIndex = std::uint32_t;

// Pages in ascending order, each once: the order in which memory is visited. Functions that take
// or return pages in another order say so.
using PageList = std::vector<PageIndex>;

// True when `pages` ascends strictly.
bool is_page_list(std::span<const PageIndex> pages);

// Pages of `a` that are not in `b`.
PageList pages_without(std::span<const PageIndex> a, std::span<const PageIndex> b);

// How many pages of `a` are not in `b`, without building the list.
std::int64_t count_without(std::span<const PageIndex> a, std::span<const PageIndex> b);

// Pages that are in `a` or in `b`.
PageList pages_of_either(std::span<const PageIndex> a, std::span<const PageIndex> b);

}  // namespace memside::kv
