// Top-k by radix: histograms of three digits find the key of the page that just makes it, one pass
// collects. The pass goes up the pages, so the list comes out in page order and ties fall to lower
// indices without a sort.
#include <array>
#include <cassert>

#include "kv/selection.h"

namespace memside::kv {
namespace {

struct Digit {
    int shift;
    int bits;
};
constexpr std::array<Digit, 3> digits{{{21, 11}, {10, 11}, {0, 10}}};

}  // namespace

void select_top_pages_by_radix(std::span<const float> scores, std::int64_t count,
                               PageList& selected) {
    selected.clear();
    if (count <= 0 || scores.empty()) return;
    const std::size_t pages = scores.size();
    const std::size_t wanted = std::min(pages, static_cast<std::size_t>(count));

    // Keys of all pages, and of those that a coarser digit has left undecided.
    const auto keys = std::make_unique_for_overwrite<std::uint32_t[]>(2 * pages);
    std::uint32_t* const undecided = keys.get() + pages;
    for (std::size_t page = 0; page < pages; ++page) keys[page] = score_key(scores[page]);

    std::uint32_t threshold = 0;  // grows into the key of the last page that is in
    std::size_t left = wanted;    // pages that are in among the undecided
    const std::uint32_t* from = keys.get();
    std::size_t size = pages;
    for (const auto& [shift, bits] : digits) {
        // Four histograms in turn: scores crowd into few bins, and an increment of a bin has to
        // wait for the one before it.
        std::array<std::array<std::uint32_t, 2048>, 4> histogram{};
        const std::uint32_t mask = (1U << bits) - 1U;
        for (std::size_t i = 0; i < size; ++i) ++histogram[i % 4][(from[i] >> shift) & mask];
        const auto in_bin = [&](std::uint32_t bin) -> std::size_t {
            return histogram[0][bin] + histogram[1][bin] + histogram[2][bin] + histogram[3][bin];
        };
        std::uint32_t bin = mask;
        while (in_bin(bin) < left) left -= in_bin(bin--);
        threshold |= bin << shift;

        std::size_t kept = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint32_t key = from[i];
            undecided[kept] = key;
            kept += ((key >> shift) & mask) == bin ? 1U : 0U;
        }
        from = undecided;
        size = kept;
    }

    // `left` pages with the key of the threshold are in: the first ones.
    selected.resize(wanted);
    std::size_t taken = 0;
    for (std::size_t page = 0; page < pages && taken < wanted; ++page) {
        const bool tie = keys[page] == threshold && left > 0;
        selected[taken] = static_cast<PageIndex>(page);
        taken += keys[page] > threshold || tie ? 1U : 0U;
        left -= tie ? 1U : 0U;
    }
    assert(taken == wanted);
}

}  // namespace memside::kv
