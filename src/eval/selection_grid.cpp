#include "eval/selection_grid.h"

namespace memside::eval {

std::vector<engine::KvPolicy> policies_of(const SelectionGrid& grid) {
    std::vector<engine::KvPolicy> policies;
    for (const std::int64_t budget : grid.budgets) {
        for (const kv::DigestKind digest : grid.digests) {
            for (const kv::SelectPer per : grid.select_per) {
                for (const kv::GroupScore group : grid.group_scores) {
                    engine::KvPolicy policy = grid.base;
                    policy.variant = &engine::kv_policy_variant("pnm-kv");
                    policy.selection.budget_tokens = budget;
                    policy.selection.select_per = per;
                    policy.selection.group_score = group;
                    policy.digest.kind = digest;
                    policies.push_back(policy);
                    if (per == kv::SelectPer::query_head) break;
                }
            }
        }
    }
    return policies;
}

}  // namespace memside::eval
