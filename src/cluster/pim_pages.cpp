#include "cluster/pim_pages.h"

namespace memside {

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
