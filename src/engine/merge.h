// Merging neighbouring symbols, best first: the loop that BPE and SentencePiece share.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace memside::engine {

// Bytes [start, start + bytes) of a piece of text, and the token that they are, or -1.
struct Symbol {
    std::uint32_t start = 0;
    std::uint32_t bytes = 0;  // 0: merged into the symbol before it
    std::int32_t token = -1;
};

// What two neighbours merge to. The lowest cost goes first, the leftmost among equals.
struct Merge {
    float cost = 0.0F;
    std::int32_t token = -1;
};

// Merges until join(left, right) offers nothing; it returns std::optional<Merge> and must depend on
// its two symbols alone. Fewer than 2^31 symbols. O(n log n); `merge_symbols_slowly` in the tests
// is the obvious form.
template <typename Join>
void merge_symbols(std::vector<Symbol>& symbols, const Join& join) {
    struct Candidate {
        float cost;
        std::int32_t left;
        std::int32_t right;
        std::uint32_t bytes;  // of both: an older candidate no longer fits its symbols
        std::int32_t token;
    };
    const auto later = [](const Candidate& a, const Candidate& b) {
        return a.cost != b.cost ? a.cost > b.cost : a.left > b.left;
    };
    std::vector<Candidate> storage;
    storage.reserve(symbols.size());
    std::priority_queue<Candidate, std::vector<Candidate>, decltype(later)> queue(
        later, std::move(storage));
    const auto at = [&symbols](std::int32_t i) -> Symbol& {
        return symbols[static_cast<std::size_t>(i)];
    };

    struct Link {
        std::int32_t previous;
        std::int32_t next;  // -1 at the end
    };
    const auto count = static_cast<std::int32_t>(symbols.size());
    std::vector<Link> links(symbols.size());
    for (std::int32_t i = 0; i < count; ++i) {
        links[static_cast<std::size_t>(i)] = {i - 1, i + 1 < count ? i + 1 : -1};
    }
    const auto link = [&links](std::int32_t i) -> Link& {
        return links[static_cast<std::size_t>(i)];
    };

    const auto offer = [&](std::int32_t left, std::int32_t right) {
        if (left < 0 || right < 0) return;
        const std::optional<Merge> merge = join(at(left), at(right));
        if (!merge) return;
        queue.push({merge->cost, left, right, at(left).bytes + at(right).bytes, merge->token});
    };
    for (std::int32_t i = 0; i + 1 < count; ++i) offer(i, i + 1);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol& left = at(best.left);
        Symbol& right = at(best.right);
        if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != best.bytes) continue;
        left.bytes = best.bytes;
        left.token = best.token;
        right.bytes = 0;
        const std::int32_t next = link(best.right).next;
        link(best.left).next = next;
        if (next >= 0) link(next).previous = best.left;
        offer(link(best.left).previous, best.left);
        offer(best.left, next);
    }
}

}  // namespace memside::engine
