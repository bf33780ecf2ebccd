#include "cluster/cpu_simulation.h"

#include "base/number.h"
#include "base/text.h"
#include "cluster/accounting.h"
#include "cluster/cpu_step.h"
#include "cluster/layer_timeline.h"

namespace memside {
namespace {

// Pages of recall's pool per page of the budget: the engine's default (--kv-pool).
constexpr std::int64_t pool_per_budget = 2;
// The engine's default (--page-size).
constexpr std::int64_t dense_page_tokens = 64;

// Not cut to the context, as the engine does not: a step within the budget attends every page, that
// of its own token included.
std::int64_t budget_tokens(const SimulationRequest& request, const DecodeJob& job) {
    return request.budget_tokens.value_or(job.budget_tokens(job.context_tokens));
}

Status check(const SimulationRequest& request, const Policy& policy) {
    const std::vector<std::string> modelled{"dense", "pnm-kv", "recall"};
    if (std::ranges::find(modelled, policy.name()) == modelled.end()) {
        return bad_input("--policy", fmt::format("'{}' is not modelled on a cpu; allowed: {}",
                                                 policy.name(), join(modelled, ", ")));
    }
    if (!request.workload.empty()) {
        return bad_input("--workload", "is not modelled on a cpu: it decodes one sequence");
    }
    if (request.batch && *request.batch != 1) {
        return bad_input("--batch", fmt::format("{} is not modelled on a cpu: it decodes one "
                                                "sequence; allowed: 1",
                                                *request.batch));
    }
    if (request.half_batches) {
        return bad_input("--overlap", "half-batches are not modelled on a cpu; allowed: none");
    }
    const kv::ValueType type = request.format.value_type;
    const std::string& name = kv::value_type_names()[static_cast<std::size_t>(type)];
    for (const std::string_view measured : measured_kv_types()) {
        if (measured == name) return {};
    }
    return bad_input("--kv-type",
                     fmt::format("'{}' is not modelled on a cpu; allowed: f16, bf16, int8", name));
}

struct Footprint {
    double weights = 0;
    double kv = 0;
    double digests = 0;
    double pool = 0;
    double sum() const { return weights + kv + digests + pool; }
};

Footprint footprint(const DecodeJob& job, const Policy& policy) {
    const ModelSpec& model = job.model;
    const auto page_tokens = static_cast<double>(job.format.page_tokens);
    const double page = stored_page_bytes(job.format.value_type, page_tokens, model.head_dim);
    Footprint sum;
    sum.weights = static_cast<double>(model.weights.bytes());
    for (int layer = 0; layer < model.layers; ++layer) {
        const auto kept = model.kept_tokens(layer, job.context_tokens + 1);
        sum.kv += static_cast<double>(kv::page_count(kept, job.format.page_tokens)) *
                  model.kv_heads * page;
    }
    if (!policy.selects_pages()) return sum;
    sum.digests = static_cast<double>(
        kv::request_bytes(model, job.format, job.context_tokens + 1).digest_bytes);
    if (policy.name() == "recall") {
        sum.pool = static_cast<double>(selecting_layers(model, job.format)) * model.kv_heads *
                   static_cast<double>(pool_per_budget * job.budget_pages(job.context_tokens)) *
                   page;
    }
    return sum;
}

SimulationResult blank(const SimulationRequest& request, const Policy& policy,
                       const DecodeJob& job) {
    SimulationResult result;
    result.model = request.model.name;
    result.system = request.system.name;
    result.policy = std::string(policy.name());
    result.context_tokens = job.context_tokens;
    result.seed = request.seed;
    result.settings = request.settings;
    result.tp = 1;
    result.pp = 1;
    const kv::PageFormat& format = request.format;
    result.kv_type = kv::value_type_names()[static_cast<std::size_t>(format.value_type)];
    if (policy.selects_pages()) {
        result.page_size_tokens = format.page_tokens;
        result.budget_tokens = job.budget_tokens(job.context_tokens);
        result.digest = kv::digest_kind_names()[static_cast<std::size_t>(format.digest_kind)];
        result.digest_type = kv::digest_type_names()[static_cast<std::size_t>(format.digest_type)];
        result.dense_layers = format.dense_layers;
        result.sink_pages = request.selection.pinned.sink;
        result.recent_pages = request.selection.pinned.recent;
    }
    return result;
}

// Runs selection on a sample of (layer, KV head) pairs: each has a page set of its own.
Result<CpuPages> sample(const SimulationRequest& request, const Policy& policy,
                        const DecodeJob& job, SimulationResult& result) {
    const ModelSpec& model = job.model;
    const std::int64_t budget = budget_tokens(request, job);
    const std::int64_t budget_pages = kv::page_count(budget, job.format.page_tokens);
    ResidencySetup residency;
    if (policy.name() == "recall") {
        residency.variant = "recall";
        residency.pool_pages = pool_per_budget * budget_pages;
    }
    MEMSIDE_TRY(const kv::SelectionRunResult run,
                select_pages_of_heads(model, job.format, job.context_tokens, budget,
                                      request.selection, residency, request.seed));
    result.pages_selected_per_step = run.selected.mean;
    result.pages_recalled_per_step = run.recalled.mean;
    result.pages_recalled_stderr = run.recalled.standard_error;
    result.select_sample = run.pairs;
    result.drop_out_rate = run.drop_out_rate();
    for (const kv::StepMeans& step : run.by_step) {
        result.page_steps.push_back({step.selected, step.recalled, step.dropped_out});
    }
    CpuPages pages;
    pages.selected = run.selected.mean;
    pages.recalled = run.recalled.mean;
    const auto all = kv::page_count(job.context_tokens + 1, job.format.page_tokens);
    if (all <= budget_pages) pages.selected = static_cast<double>(all);
    pages.resident = static_cast<double>(std::min(residency.pool_pages, all));
    if (residency.pool_pages > 0) {
        result.pool_tokens_per_request = residency.pool_pages * job.format.page_tokens;
    }
    return pages;
}

void add_assumptions(const SimulationRequest& request, bool selects,
                     const ConstantReader& constants, SimulationResult& result) {
    const auto add = [&](std::string key, std::string value, std::string source) {
        result.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    };
    if (selects) {
        if (!request.budget_tokens) {
            add("budget", format_tokens(*result.budget_tokens),
                "assumed: a quarter of the context");
        }
        add("scores", request.selection.scores,
            request.selection.scores == "random-keys"
                ? "assumed: keys as the engine fills a sequence at random, queries normal and "
                  "independent from step to step"
                : "assumed: not those of the sequence that is decoded");
        add("page sets", "one per KV head", "assumed: the engine's default (--select-per)");
        add("superpages", "unread",
            "assumed: every digest is scored; the engine leaves some out of long contexts whose "
            "keys differ from place to place");
    }
    if (request.policy == "recall") {
        add("pool", fmt::format("{} x the budget", pool_per_budget),
            "assumed: the engine's default (--kv-pool)");
    }
    add("weights", request.model.weight_type,
        "assumed: of each part, the measured type that is nearest in bytes per weight");
    add("operations", "one after the other",
        "assumed: what one loop leaves in the cache does not help the next, but for pages recalled "
        "in the same step");
    add("energy and price", "none", "not modelled on a cpu: nothing measures them");
    result.constants = constants.used();
    for (const Constant& constant : result.constants) {
        if (!constant.source.starts_with("--set") && !constant.assumed()) continue;
        add(constant.path, constant.text, constant.source);
    }
}

}  // namespace

Result<SimulationResult> simulate_on_cpu(const SimulationRequest& request) {
    MEMSIDE_TRY(const Policy* policy, find_policy(request.policy));
    MEMSIDE_CHECK(check(request, *policy));
    ConstantReader constants(request.system);
    const CpuMachine machine(constants);
    DecodeJob job{request.model, request.context_tokens, request.budget_tokens, request.format,
                  request.placement};
    // Dense attention reads no pages of a size that its user chose.
    if (!policy->selects_pages()) job.format.page_tokens = dense_page_tokens;
    SimulationResult result = blank(request, *policy, job);
    const Footprint needed = footprint(job, *policy);
    SimulationResult::Capacity capacity;
    capacity.device = "cpu";
    capacity.devices = 1;
    capacity.capacity_bytes = machine.capacity_bytes();
    capacity.weight_bytes = needed.weights;
    capacity.request_bytes = needed.sum() - needed.weights;
    capacity.digest_bytes = needed.digests;
    result.kv_bytes_per_request = static_cast<std::int64_t>(needed.kv);
    if (policy->selects_pages()) {
        result.digest_bytes_per_request = static_cast<std::int64_t>(needed.digests);
    }
    const bool selects = policy->selects_pages() && selecting_layers(job.model, job.format) > 0;
    if (needed.sum() > machine.capacity_bytes()) {
        result.batch = 0;
        result.micro_batches = 0;
        result.capacity = capacity;
        result.reason = fmt::format(
            "the machine has {} of memory; weights take {}, keys and "
            "values {}, digests {}, the pool {}",
            format_bytes(machine.capacity_bytes()), format_bytes(needed.weights),
            format_bytes(needed.kv), format_bytes(needed.digests), format_bytes(needed.pool));
        add_assumptions(request, selects, constants, result);
        return result;
    }
    result.batch = 1;
    capacity.requests_per_device = 1;
    result.capacity = capacity;
    CpuPages pages;
    if (selects) {
        MEMSIDE_TRY(pages, sample(request, *policy, job, result));
    }
    const StepPlan step = plan_cpu_step(machine, job, selects, pages);
    const Schedule schedule = run(step.graph);
    result.kv_capacity_utilization = needed.kv / (machine.capacity_bytes() - needed.weights);
    result.tpot_s = schedule.makespan_s;
    result.tpot_p50_s = result.tpot_p95_s = result.tpot_p99_s = result.tpot_s;
    result.throughput_tok_per_s = 1.0 / schedule.makespan_s;
    result.kv_bytes_read_per_step = step.kv_bytes_read;
    if (policy->selects_pages()) {
        result.digest_bytes_read_per_step = step.digest_bytes_read;
        result.bytes_recalled_per_step = step.bytes_recalled;
    }
    result.phases = critical_phases(step.graph, schedule);
    add_resources(step.graph, schedule, result);
    result.device_utilization = 1.0;
    add_assumptions(request, selects, constants, result);
    add_timeline(step.graph, schedule, result);
    result.layer_timeline = layer_timeline(result);
    return result;
}

}  // namespace memside
