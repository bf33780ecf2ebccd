#include "cluster/pim_pages.h"

#include <algorithm>
#include <array>

namespace memside {

Status refuse_selection_settings(const std::vector<std::pair<std::string, std::string>>& settings) {
    static constexpr std::array<std::string_view, 10> selecting{
        "page-size",    "digest", "digest-type", "sink-pages", "recent-pages",
        "dense-layers", "steps",  "warmup",      "scores",     "select-sample"};
    for (const auto& [name, value] : settings) {
        const bool found = std::find(selecting.begin(), selecting.end(), name) != selecting.end();
        if (!found && !name.starts_with("scores.")) continue;
        return bad_input("--" + name, "has a meaning for --policy pim with --budget only");
    }
    return {};
}

Result<const std::vector<kv::PageList>*> PimPages::sets(std::int64_t context_tokens) {
    if (const auto found = known_.find(context_tokens); found != known_.end()) {
        return &found->second;
    }
    MEMSIDE_TRY(
        std::vector<kv::PageList> sets,
        page_sets_of_heads(model_, format_, context_tokens, budget_tokens_, options_, seed_));
    return &known_.emplace(context_tokens, std::move(sets)).first->second;
}

Result<double> PimPages::mean_pages(std::int64_t context_tokens) {
    MEMSIDE_TRY(const std::vector<kv::PageList>* all, sets(context_tokens));
    double sum = 0;
    for (const kv::PageList& pages : *all) sum += static_cast<double>(pages.size());
    return sum / static_cast<double>(all->size());
}

}  // namespace memside
