#include "engine/kv_policy.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "kv/layout.h"

namespace memside::engine {

std::span<const KvPolicyVariant> kv_policy_variants() {
    static const std::array<KvPolicyVariant, 4> variants{{
        {"dense", false, nullptr, false},
        {"pnm-kv", true, &kv::residency_variant("none"), false},
        {"png-kv", true, &kv::residency_variant("steady"), false},
        {"recall", true, &kv::residency_variant("recall"), true},
    }};
    return variants;
}

const KvPolicyVariant& kv_policy_variant(std::string_view name) {
    const auto found = std::ranges::find(kv_policy_variants(), name, &KvPolicyVariant::name);
    assert(found != kv_policy_variants().end());
    return *found;
}

std::int64_t KvPolicy::budget_pages(std::int64_t page_tokens) const {
    return kv::page_count(selection.budget_tokens, page_tokens);
}

std::int64_t KvPolicy::pool_pages(std::int64_t page_tokens, std::int64_t place_bytes) const {
    const std::int64_t budget = budget_pages(page_tokens);
    if (variant->name == "png-kv") {
        const std::int64_t steady =
            steady_tokens > 0 ? kv::page_count(steady_tokens, page_tokens) : (budget + 1) / 2;
        // The page being written is attended where it is written: it takes no place.
        return std::min(variant->residency->kept(steady, budget), budget - 1);
    }
    if (variant->name == "recall") return pool_bytes > 0 ? pool_bytes / place_bytes : 2 * budget;
    return 0;
}

Status check_policy(const KvPolicy& policy, std::int64_t page_tokens) {
    if (!policy.variant->selects) return {};
    const SelectionConfig& selection = policy.selection;
    MEMSIDE_CHECK(
        kv::check_budget(selection.budget_tokens, page_tokens, selection.pinned, "--budget"));
    MEMSIDE_CHECK(kv::check_coefficient(
        policy.digest.kind, static_cast<double>(policy.digest.coefficient), "--digest-coef"));
    if (policy.steady_tokens > selection.budget_tokens) {
        return bad_input("--steady", fmt::format("{} tokens are more than the {} of the budget",
                                                 policy.steady_tokens, selection.budget_tokens));
    }
    return {};
}

}  // namespace memside::engine
