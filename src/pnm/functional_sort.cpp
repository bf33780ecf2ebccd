#include "pnm/functional_sort.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <utility>

namespace memside::pnm {
namespace {

struct Entry {
    float score;
    std::int32_t page;
};

// What the sorter sends behind the last score, to fill the network.
constexpr Entry padding{-std::numeric_limits<float>::infinity(),
                        std::numeric_limits<std::int32_t>::max()};

// A total order, so that the outcome does not depend on the network.
bool before(const Entry& a, const Entry& b) {
    return a.score > b.score || (a.score == b.score && a.page < b.page);
}

void compare_exchange(Entry& a, Entry& b) {
    if (before(b, a)) std::swap(a, b);
}

// Sorts a bitonic sequence whose length is a power of two.
void bitonic_merge(std::span<Entry> entries) {
    for (std::size_t step = entries.size() / 2; step > 0; step /= 2) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if ((i & step) == 0) compare_exchange(entries[i], entries[i + step]);
        }
    }
}

// Merges the runs [0, middle) and [middle, end) of `from`, whole multiples of the width.
void stream_merge(std::span<const Entry> from, std::size_t middle, std::size_t width,
                  std::span<Entry> to) {
    if (middle >= from.size()) {
        std::copy(from.begin(), from.end(), to.begin());
        return;
    }
    std::size_t left = 0;
    std::size_t right = middle;
    std::vector<Entry> network(2 * width);
    // The second half of the network keeps the better of what has been seen and not yet sent.
    const auto load = [&](std::size_t at) {
        const bool from_left =
            right >= from.size() || (left < middle && before(from[left], from[right]));
        std::size_t& run = from_left ? left : right;
        for (std::size_t i = 0; i < width; ++i) network[at + i] = from[run + i];
        run += width;
    };
    load(width);
    for (std::size_t sent = 0; sent < from.size(); sent += width) {
        if (left < middle || right < from.size()) {
            load(0);
            std::reverse(network.begin(), network.begin() + static_cast<std::ptrdiff_t>(width));
            // Ascending, then descending: bitonic.
            bitonic_merge(network);
            std::copy_n(network.begin(), width, to.begin() + static_cast<std::ptrdiff_t>(sent));
        } else {
            std::copy_n(network.begin() + static_cast<std::ptrdiff_t>(width), width,
                        to.begin() + static_cast<std::ptrdiff_t>(sent));
        }
    }
}

}  // namespace

SortedPages merge_sort_top_k(std::span<const float> scores, std::size_t k, std::size_t width) {
    assert(std::has_single_bit(width) && width >= 2);
    const std::size_t count = scores.size();
    std::vector<Entry> entries((count + width - 1) / width * width, padding);
    for (std::size_t i = 0; i < count; ++i) entries[i] = {scores[i], static_cast<std::int32_t>(i)};

    SortedPages result;
    const auto beats = static_cast<std::int64_t>(entries.size() / width);
    const auto levels = static_cast<std::int64_t>(std::countr_zero(2 * width));
    std::vector<Entry> merged(entries.size());
    for (std::size_t run = 1; run < count; run *= 2) {
        for (std::size_t start = 0; start < entries.size(); start += 2 * run) {
            const std::size_t length = std::min(2 * run, entries.size() - start);
            const std::span<Entry> pair = std::span(entries).subspan(start, length);
            if (run < width) {
                std::reverse(pair.begin(), pair.begin() + static_cast<std::ptrdiff_t>(run));
                bitonic_merge(pair);
            } else {
                stream_merge(pair, run, width, std::span(merged).subspan(start, length));
            }
        }
        if (run >= width) std::swap(entries, merged);
        ++result.passes;
        result.cycles += beats + levels;
    }
    result.pages.reserve(std::min(k, count));
    for (std::size_t i = 0; i < std::min(k, count); ++i) result.pages.push_back(entries[i].page);
    return result;
}

}  // namespace memside::pnm
