#include "cluster/prefill.h"

#include <algorithm>

#include "cluster/accounting.h"
#include "cluster/energy.h"
#include "cluster/kv_store.h"

namespace memside {
namespace {

// Of one GPU's heads.
PromptAttention prompt_attention(const ModelSpec& model, const TensorShard& shard, int layer,
                                 std::int64_t context) {
    const auto tokens = static_cast<double>(context);
    const auto reach = static_cast<double>(model.kept_tokens(layer, context));
    PromptAttention op;
    op.tokens = tokens;
    // The first `reach` tokens attend all before them and themselves, the others `reach` each.
    op.pairs = reach * (reach + 1.0) / 2.0 + (tokens - reach) * reach;
    op.query_heads = shard.query_heads;
    op.kv_heads = shard.kv_heads;
    op.head_dim = model.head_dim;
    return op;
}

// Adds `weight` of each of `phases`, in the order in which names are first met.
void add_weighted(const std::vector<PhaseTime>& phases, double weight,
                  std::vector<PhaseTime>& sums) {
    for (const PhaseTime& phase : phases) {
        auto found = std::find_if(sums.begin(), sums.end(),
                                  [&](const PhaseTime& sum) { return sum.name == phase.name; });
        if (found == sums.end()) found = sums.insert(sums.end(), {phase.name, 0.0});
        found->time_s += weight * phase.time_s;
    }
}

}  // namespace

Result<Prefill> prefill(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                        std::int64_t context, std::int64_t batch) {
    Prefill prefill;
    TaskGraph& graph = prefill.graph;
    const ResourceId gpu = graph.add_resource("GPUs", "gpu");
    const ResourceId link = graph.add_resource("GPU link", "gpu_link");
    const auto kv = make_kv_store(graph, policy, hardware, job, context, batch);
    FcBuilder fc(job.model, hardware, static_cast<double>(context), gpu, link);
    std::vector<TaskId> after;
    for (int layer = 0; layer < job.model.layers; ++layer) {
        const TaskId computed = fc.before_attention(graph, layer, after);
        const TaskId attended =
            fc.gpu_task(graph, "attention", "attention", layer,
                        prompt_attention(job.model, fc.shard(), layer, context), {computed});
        MEMSIDE_CHECK(kv->store(fc, layer, computed));
        after = {fc.after_attention(graph, layer, {attended})};
    }
    prefill.schedule = run(graph);
    for (const ResourceId hop : kv->links()) {
        prefill.fill_s =
            std::max(prefill.fill_s, prefill.schedule.busy_s[static_cast<std::size_t>(hop)]);
    }
    return prefill;
}

Status add_prefill(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                   const Requests& requests, ConstantReader& constants, SimulationResult& result) {
    const std::int64_t batch = request_count(requests);
    double fill_s = 0.0;
    double energy_j = 0.0;
    for (const RequestGroup& group : requests) {
        MEMSIDE_TRY(const Prefill one, prefill(policy, hardware, job, group.context_tokens, batch));
        const double weight = static_cast<double>(group.count) / static_cast<double>(batch);
        add_weighted(critical_phases(one.graph, one.schedule), weight, result.prefill);
        fill_s += weight * one.fill_s;
        energy_j += weight * sum_of(energy_parts(one.graph, one.schedule, constants));
    }
    result.prefill.push_back({"first_step", *result.tpot_s});
    result.ttft_s = 0.0;
    for (const PhaseTime& phase : result.prefill) *result.ttft_s += phase.time_s;
    if (policy.uses_pnm() || policy.uses_cxl()) result.kv_fill_s = fill_s;
    result.prefill_energy_j = energy_j;
    return {};
}

}  // namespace memside
