// The policies that an evaluation compares with dense: every combination of the lists that a user
// gives. Pages are attended where they lie (pnm-kv): where a page lies does not change what is
// computed (tests/engine/decoder_policy_test.cpp).
#pragma once

#include <cstdint>
#include <vector>

#include "engine/kv_policy.h"

namespace memside::eval {

struct SelectionGrid {
    std::vector<std::int64_t> budgets;
    std::vector<kv::DigestKind> digests;
    std::vector<kv::SelectPer> select_per;
    std::vector<kv::GroupScore> group_scores;
    engine::KvPolicy base;  // all else
};

// Budgets outermost, then digests, units, group scores. A query head alone has no group: of its
// policies, which would be the same, only that of the first group score is there.
std::vector<engine::KvPolicy> policies_of(const SelectionGrid& grid);

// Whether a context says something about a budget: of at most twice the budget, selection leaves
// out too little to lose by.
constexpr bool context_tests_budget(std::int64_t context_tokens, std::int64_t budget_tokens) {
    return context_tokens > 2 * budget_tokens;
}

}  // namespace memside::eval
