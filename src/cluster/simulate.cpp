#include "cluster/simulate.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "cluster/accounting.h"
#include "cluster/admission.h"
#include "cluster/assumptions.h"
#include "cluster/cpu_simulation.h"
#include "cluster/gpu_pim.h"
#include "cluster/layer_timeline.h"
#include "cluster/page_sample.h"
#include "cluster/pim_simulation.h"
#include "cluster/policy.h"
#include "cluster/prefill.h"
#include "cluster/serving_gpu.h"
#include "cluster/serving_result.h"

namespace memside {
namespace {

SimulationResult blank_result(const SimulationRequest& request, const Policy& policy,
                              const Hardware& hardware, const DecodeJob& job) {
    SimulationResult result;
    result.model = request.model.name;
    result.system = request.system.name;
    result.policy = std::string(policy.name());
    result.context_tokens = job.context_tokens;
    if (!request.workload.empty()) {
        result.context_tokens =
            static_cast<std::int64_t>(std::llround(request.workload.mean_context()));
    }
    result.seed = request.seed;
    result.settings = request.settings;
    result.tp = hardware.gpus;
    result.pp = 1;
    const kv::PageFormat& format = request.format;
    const auto name = [](const std::vector<std::string>& names, auto value) {
        return names[static_cast<std::size_t>(value)];
    };
    result.kv_type = name(kv::value_type_names(), format.value_type);
    result.overlap = request.half_batches ? "half-batches" : "none";
    if (policy.selects_pages()) {
        result.budget_tokens = job.budget_tokens(result.context_tokens);
        result.page_size_tokens = format.page_tokens;
        result.digest = name(kv::digest_kind_names(), format.digest_kind);
        result.digest_type = name(kv::digest_type_names(), format.digest_type);
        result.dense_layers = format.dense_layers;
        result.sink_pages = request.selection.pinned.sink;
        result.recent_pages = request.selection.pinned.recent;
    }
    return result;
}

void add_admission(const Admission& admission, const Policy& policy, SimulationResult& result) {
    result.batch = request_count(admission.requests);
    result.micro_batches = admission.shape.sequential ? std::ssize(admission.shape.parts) : 1;
    if (result.batch == 0) result.micro_batches = 0;
    result.capacity = admission.fit.capacity;
    result.capacity->requests_per_device = requests_on_fullest(admission);
    result.kv_bytes_per_request = admission.fit.request.kv_bytes;
    if (policy.selects_pages()) {
        result.digest_bytes_per_request = admission.fit.request.digest_bytes;
    }
    result.reason = admission.reason;
    if (policy.uses_pnm() && result.batch > 0) {
        // They are alike: bytes are as requests.
        const double mean =
            static_cast<double>(result.batch) / static_cast<double>(result.capacity->devices);
        result.load_imbalance = static_cast<double>(result.capacity->requests_per_device) / mean;
    }
}

void add_selection(const SampledPages& pages, SimulationResult& result) {
    result.pages_selected_per_step = pages.selected;
    result.pages_recalled_per_step = pages.recalled;
    result.pages_recalled_stderr = pages.recalled_stderr;
    result.select_sample = pages.pairs;
    result.drop_out_rate = pages.drop_out_rate;
    result.pool_tokens_per_request = pages.pool_tokens;
    for (const kv::StepMeans& step : pages.by_step) {
        result.page_steps.push_back({step.selected, step.recalled, step.dropped_out});
    }
}

void add_step(const StepPlan& step, const Schedule& schedule, const Policy& policy,
              SimulationResult& result) {
    result.tpot_s = schedule.makespan_s;
    // A step is timed with the mean page counts of the sampled steps, so the percentiles coincide.
    result.tpot_p50_s = result.tpot_p95_s = result.tpot_p99_s = result.tpot_s;
    result.throughput_tok_per_s = static_cast<double>(result.batch) / schedule.makespan_s;
    result.kv_bytes_read_per_step = step.kv_bytes_read;
    if (policy.selects_pages()) {
        result.digest_bytes_read_per_step = step.digest_bytes_read;
        result.bytes_recalled_per_step = step.bytes_recalled;
    }
    result.phases = critical_phases(step.graph, schedule);
    add_resources(step.graph, schedule, result);
    for (const ResourceBusy& resource : result.resources) {
        const double share = resource.busy_s / schedule.makespan_s;
        if (resource.name == "gpu") result.gpu_utilization = share;
        if (resource.name == "pnm" || resource.name == "cxl" || resource.name == "pim") {
            result.device_utilization = share;
        }
    }
}

// Of a mean request, and of what a workload of them fills.
void add_mean_request(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                      SimulationResult& result) {
    DecodeJob mean = job;
    mean.context_tokens = result.context_tokens;
    const Fit fit = policy.fit(hardware, mean);
    result.capacity = fit.capacity;
    result.kv_bytes_per_request = fit.request.kv_bytes;
    if (policy.selects_pages()) result.digest_bytes_per_request = fit.request.digest_bytes;
}

Status serve_workload(const SimulationRequest& request, const Policy& policy,
                      const Hardware& hardware, const DecodeJob& job, ConstantReader& constants,
                      SimulationResult& result) {
    const Fit longest = policy.fit(hardware, job);
    result.capacity = longest.capacity;
    result.kv_bytes_per_request = longest.request.kv_bytes;
    result.micro_batches = 0;
    if (longest.max_batch == 0) {
        result.reason = longest.reason;
        add_assumptions(request, policy, job, constants, result);
        return {};
    }
    const auto model = make_gpu_step_model(request, policy, hardware, job, constants);
    MEMSIDE_TRY(const ServedResult served, serve(request.workload, *model, request.serving));
    result.reason = served.reason;
    if (!served.reason.empty()) {
        add_assumptions(request, policy, job, constants, result);
        return {};
    }
    add_mean_request(policy, hardware, job, result);
    add_served(request.workload, served, constants, result);
    result.gpu_utilization = served.sums.gpu_busy_s / served.simulated_s;
    if (policy.uses_pnm() || policy.uses_cxl() || policy.uses_pim()) {
        result.device_utilization = served.sums.device_busy_s / served.simulated_s;
    }
    if (policy.uses_pnm()) result.load_imbalance = served.load_imbalance;
    if (policy.uses_pim()) {
        result.pim_mac_utilization = served.sums.mac_busy_s / served.simulated_s;
    }
    const GpuStepModel::FullestStep& fullest = model->fullest();
    if (fullest.pages) {
        const auto steps = static_cast<double>(served.steps);
        add_selection(*fullest.pages, result);
        result.digest_bytes_read_per_step = served.sums.digest_bytes_read / steps;
        result.bytes_recalled_per_step = served.sums.bytes_recalled / steps;
    }
    add_assumptions(request, policy, job, constants, result);
    add_timeline(fullest.plan.graph, fullest.schedule, result);
    result.layer_timeline = layer_timeline(result);
    return {};
}

}  // namespace

Result<SimulationResult> simulate(const SimulationRequest& request) {
    if (request.system.has("cpu")) return simulate_on_cpu(request);
    MEMSIDE_TRY(const Policy* policy, find_policy(request.policy));
    if (policy->uses_pim() && !request.system.has("gpu")) return simulate_on_pim(request);
    MEMSIDE_CHECK(policy->supports(request.system));
    std::unique_ptr<GpuPim> gpu_pim;
    if (policy->uses_pim()) {
        MEMSIDE_TRY(gpu_pim, GpuPim::make(request));
        policy = &gpu_pim->policy();
    }
    if (!request.system.has("gpu")) {
        return bad_input("--policy",
                         fmt::format("'{}' needs GPUs; system {} has none; allowed: pim",
                                     policy->name(), in_quotes(request.system.name)));
    }
    ConstantReader constants(request.system);
    MEMSIDE_TRY(
        const Hardware hardware,
        make_hardware(constants, {policy->uses_pnm(), policy->uses_cxl(), policy->uses_pim()}));
    DecodeJob job{request.model, request.context_tokens, request.budget_tokens, request.format,
                  request.placement};
    if (!request.workload.empty()) job.context_tokens = request.workload.longest();

    SimulationResult result = blank_result(request, *policy, hardware, job);
    if (!request.workload.empty()) {
        MEMSIDE_CHECK(serve_workload(request, *policy, hardware, job, constants, result));
        if (gpu_pim) gpu_pim->add_assumptions(result);
        return result;
    }
    MEMSIDE_TRY(const Admission admission, admit(request, *policy, hardware, job));
    add_admission(admission, *policy, result);
    if (result.batch == 0) {
        add_assumptions(request, *policy, job, constants, result);
        if (gpu_pim) gpu_pim->add_assumptions(result);
        return result;
    }

    SampledPages pages;
    if (policy->selects_pages() && selecting_layers(job.model, job.format) > 0) {
        const auto residency = [&](std::int64_t context) {
            DecodeJob one = job;
            one.context_tokens = context;
            return policy->residency(hardware, one, result.batch);
        };
        MEMSIDE_TRY(pages, sample_pages(job, admission.requests, request.selection, residency,
                                        request.seed));
        add_selection(pages, result);
    }
    MEMSIDE_TRY(const StepPlan step, policy->plan(hardware, job, pages.shares, admission.shape));
    const Schedule schedule = run(step.graph);
    result.kv_capacity_utilization =
        live_kv_bytes(*policy, hardware, job, admission.requests) / admission.fit.kv_capacity_bytes;
    add_step(step, schedule, *policy, result);
    const ModuleShare modules = policy->modules(hardware, step, schedule.makespan_s);
    result.pim_mac_utilization = modules.mac_utilization;
    add_energy_and_cost(step.graph, schedule, constants, modules.energy, result);
    if (!gpu_pim) {
        MEMSIDE_CHECK(add_prefill(*policy, hardware, job, admission.requests, constants, result));
    }
    add_assumptions(request, *policy, job, constants, result);
    if (gpu_pim) gpu_pim->add_assumptions(result);
    add_timeline(step.graph, schedule, result);
    result.layer_timeline = layer_timeline(result);
    return result;
}

}  // namespace memside
