#include <algorithm>

#include "base/text.h"
#include "cluster/policy.h"

namespace memside {
std::int64_t DecodeJob::budget_tokens(std::int64_t context) const {
    // A quarter of the context explains the paper's batch of the baseline, its throughput ratio and
    // its recall traffic at once (hypothesis, derived by hand).
    const std::int64_t quarter = std::max<std::int64_t>(1, context / 4);
    return std::min(fixed_budget.value_or(quarter), context);
}

std::int64_t DecodeJob::budget_pages(std::int64_t context) const {
    return kv::page_count(budget_tokens(context), format.page_tokens);
}

PageCounts page_counts(const DecodeJob& job, const PageShares& shares, std::int64_t context) {
    const auto pages = static_cast<double>(kv::page_count(context, job.format.page_tokens));
    const auto budget = static_cast<double>(job.budget_pages(context));
    return {shares.scanned * pages, shares.selected * budget, shares.recalled * budget,
            shares.in_pool * budget};
}

kv::MicroBatches Policy::micro_batches(const Hardware&, const DecodeJob&,
                                       std::int64_t batch) const {
    return {batch, 1};
}

ResidencySetup Policy::residency(const Hardware&, const DecodeJob&, std::int64_t) const {
    return {};
}

Result<StepPlan> Policy::plan(const Hardware& hardware, const DecodeJob& job,
                              const PageShares& pages, const StepShape& shape) const {
    StepPlan step;
    const ResourceId gpu = step.graph.add_resource("GPUs", "gpu");
    const ResourceId link = step.graph.add_resource("GPU link", "gpu_link");
    const std::unique_ptr<AttentionSide> side = attention(step, hardware, job, pages);
    std::vector<TaskId> after;
    for (const BatchPart& part : shape.parts) {
        const auto requests = static_cast<double>(request_count(part.requests));
        FcBuilder fc(job.model, hardware, requests, gpu, link);
        if (!shape.sequential) after.clear();
        for (int layer = 0; layer < job.model.layers; ++layer) {
            const TaskId qkv = fc.before_attention(step.graph, layer, after);
            MEMSIDE_TRY(const std::vector<TaskId> joined, side->attend(fc, layer, part, qkv));
            after = {fc.after_attention(step.graph, layer, joined)};
        }
        after = {fc.finish(step.graph, after.front())};
    }
    return step;
}

const std::vector<std::unique_ptr<Policy>>& policies() {
    static const std::vector<std::unique_ptr<Policy>> all = [] {
        std::vector<std::unique_ptr<Policy>> list;
        list.push_back(make_dense_policy());
        list.push_back(make_recall_policy());
        list.push_back(make_pnm_kv_policy());
        list.push_back(make_png_kv_policy());
        list.push_back(make_pim_policy());
        return list;
    }();
    return all;
}

Result<const Policy*> find_policy(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& policy : policies()) {
        if (policy->name() == name) return policy.get();
        names.emplace_back(policy->name());
    }
    return bad_input("--policy", "unknown policy " + in_quotes(name) + hint(name, names));
}

}  // namespace memside
