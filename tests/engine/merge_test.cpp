#include "engine/merge.h"

#include <rapidcheck/gtest.h>
#include <map>

namespace memside::engine {
namespace {

using Joins = std::map<std::pair<std::int32_t, std::int32_t>, Merge>;

// The definition: look through all neighbours for the cheapest, leftmost first, merge, start again.
template <typename Join>
void merge_symbols_slowly(std::vector<Symbol>& symbols, const Join& join) {
    for (;;) {
        std::optional<Merge> best;
        std::size_t at = 0;
        for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
            const std::optional<Merge> merge = join(symbols[i], symbols[i + 1]);
            if (merge && (!best || merge->cost < best->cost)) {
                best = merge;
                at = i;
            }
        }
        if (!best) return;
        symbols[at].bytes += symbols[at + 1].bytes;
        symbols[at].token = best->token;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

std::vector<std::pair<std::uint32_t, std::int32_t>> left_over(const std::vector<Symbol>& symbols) {
    std::vector<std::pair<std::uint32_t, std::int32_t>> left;
    for (const Symbol& symbol : symbols) {
        if (symbol.bytes > 0) left.emplace_back(symbol.start, symbol.token);
    }
    return left;
}

// Few tokens and costs, so that merges compete and costs are equal.
RC_GTEST_PROP(Merge, outcome_is_that_of_the_definition, ()) {
    constexpr int tokens = 6;
    Joins joins;
    const int count = *rc::gen::inRange(0, 20);
    for (int i = 0; i < count; ++i) {
        const auto token = rc::gen::inRange(0, tokens);
        joins[{*token, *token}] = {static_cast<float>(*rc::gen::inRange(0, 4)), *token};
    }
    const auto join = [&](const Symbol& left, const Symbol& right) -> std::optional<Merge> {
        const auto found = joins.find({left.token, right.token});
        return found == joins.end() ? std::nullopt : std::optional(found->second);
    };
    std::vector<Symbol> fast;
    const int length = *rc::gen::inRange(0, 60);
    for (int i = 0; i < length; ++i) {
        fast.push_back({static_cast<std::uint32_t>(i), 1, *rc::gen::inRange(0, tokens)});
    }
    std::vector<Symbol> slow = fast;
    merge_symbols(fast, join);
    merge_symbols_slowly(slow, join);
    RC_ASSERT(left_over(fast) == left_over(slow));
}

}  // namespace
}  // namespace memside::engine
