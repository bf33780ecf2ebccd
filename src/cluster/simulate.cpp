#include "cluster/simulate.h"

#include <algorithm>
#include <map>

#include "base/number.h"
#include "cluster/policy.h"

namespace memside {
namespace {

constexpr double seconds_per_hour = 3600.0;

// Power that the coarse energy model and the electricity bill charge: what the parts may draw.
struct Ownership {
    double power_w = 0;
    double hardware_usd_per_hour = 0;
};

Ownership ownership(ConstantReader& constants) {
    Ownership sum;
    const auto charge = [&](std::string_view role, std::string_view power) {
        const Component* part = constants.system().find(role);
        if (part == nullptr) return;
        sum.power_w += part->count * constants.value(role, power);
        sum.hardware_usd_per_hour += part->count * constants.value(role, "price");
    };
    charge("gpu", "active_power");
    charge("pnm", "platform_power");
    charge("cxl", "active_power");
    return sum;
}

// Idle power of every part, busy or not, whether the policy uses it or not.
double idle_power_w(ConstantReader& constants, std::string_view role) {
    const Component* part = constants.system().find(role);
    return part == nullptr ? 0.0 : part->count * constants.value(role, "idle_power");
}

void add_phases(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result) {
    // In the order in which a step first meets them.
    for (std::size_t i = 0; i < schedule.critical.size(); ++i) {
        const Task& task = graph.tasks()[static_cast<std::size_t>(schedule.critical[i])];
        const auto same = [&](const PhaseTime& phase) { return phase.name == task.phase; };
        auto found = std::find_if(result.phases.begin(), result.phases.end(), same);
        if (found == result.phases.end()) {
            result.phases.push_back({std::string(task.phase), 0.0});
            found = result.phases.end() - 1;
        }
        found->time_s += schedule.critical_s[i];
    }
}

void add_resources(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result) {
    struct Sum {
        double busy_s = 0;
        int count = 0;
    };
    std::vector<std::pair<std::string, Sum>> groups;
    for (ResourceId r = 0; r < static_cast<ResourceId>(graph.resource_count()); ++r) {
        const std::string& group = graph.resource_alike(r);
        auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const auto& entry) { return entry.first == group; });
        if (found == groups.end()) found = groups.insert(groups.end(), {group, Sum{}});
        found->second.busy_s += schedule.busy_s[static_cast<std::size_t>(r)];
        ++found->second.count;
    }
    for (const auto& [name, sum] : groups) {
        result.resources.push_back({name, sum.busy_s / sum.count});
    }
}

void add_timeline(const TaskGraph& graph, const Schedule& schedule, SimulationResult& result) {
    for (ResourceId r = 0; r < static_cast<ResourceId>(graph.resource_count()); ++r) {
        result.timeline_resources.push_back(graph.resource_name(r));
    }
    const std::vector<Task>& tasks = graph.tasks();
    result.timeline.reserve(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const Task& task = tasks[i];
        result.timeline.push_back({std::string(task.name), std::string(task.phase), task.resource,
                                   task.layer, schedule.start_s[i], task.duration_s, task.bytes,
                                   task.flops, false});
    }
    for (const TaskId id : schedule.critical) {
        result.timeline[static_cast<std::size_t>(id)].critical = true;
    }
}

// Energy by activity, per token; and the money.
void add_energy_and_cost(const StepPlan& step, ConstantReader& constants,
                         SimulationResult& result) {
    const double time_s = *result.tpot_s;
    const auto tokens = static_cast<double>(result.batch);
    const auto add = [&](std::string name, double energy_j) {
        result.energy.push_back({std::move(name), energy_j / tokens});
    };
    add("gpu", step.gpu_energy_j + idle_power_w(constants, "gpu") * time_s);
    if (constants.system().has("pnm")) {
        add("pnm", step.device_energy_j + idle_power_w(constants, "pnm") * time_s);
    }
    if (constants.system().has("cxl")) add("cxl", idle_power_w(constants, "cxl") * time_s);
    add("links", step.link_energy_j);
    double total = 0.0;
    for (const EnergyShare& share : result.energy) total += share.j_per_token;
    result.energy_j_per_token = total;

    const Ownership owned = ownership(constants);
    result.energy_coarse_j_per_token = owned.power_w * time_s / tokens;
    result.usd_per_hour = owned.hardware_usd_per_hour +
                          owned.power_w * seconds_per_hour * constants.value("cost", "electricity");
    result.tokens_per_usd = *result.throughput_tok_per_s * seconds_per_hour / *result.usd_per_hour;
}

void add_assumptions(const SimulationRequest& request, const Policy& policy, const DecodeJob& job,
                     ConstantReader& constants, SimulationResult& result) {
    const auto add = [&](std::string key, std::string value, std::string source) {
        result.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    };
    if (policy.selects_pages()) {
        add("selection", "not run",
            "assumed: min(budget, context) / page size pages are selected; no page scores were "
            "computed");
        if (!request.budget_tokens) {
            add("budget", format_tokens(job.budget_tokens),
                "assumed: a quarter of the context; the budget is not stated by Kim et al.");
        }
    }
    const int kv_bits = kv::bits(job.format.value_type);
    if (kv_bits < 16) {
        add("kv-type", kv::value_type_names()[static_cast<std::size_t>(job.format.value_type)],
            "assumed: scales are not counted and values widen to FP16 at no cost");
    }
    if (job.context_tokens > job.model.window_tokens) {
        add("context", format_tokens(job.context_tokens),
            fmt::format("assumed: runs beyond the window of {} tokens that {} was trained for",
                        job.model.window_tokens, job.model.name));
    }
    result.constants = constants.used();
    for (const Constant& constant : result.constants) {
        if (constant.assumed()) add(constant.path, constant.text, constant.source);
    }
}

// Sharded over GPUs, every request is on each; on memory devices, requests are spread evenly.
std::int64_t requests_on_fullest(const Fit& fit, std::int64_t batch) {
    if (fit.capacity.device == "gpu") return batch;
    return (batch + fit.capacity.devices - 1) / fit.capacity.devices;
}

}  // namespace

Result<SimulationResult> simulate(const SimulationRequest& request) {
    MEMSIDE_TRY(const Policy* policy, find_policy(request.policy));
    MEMSIDE_CHECK(policy->supports(request.system));
    ConstantReader constants(request.system);
    MEMSIDE_TRY(const Hardware hardware, make_hardware(constants, policy->uses_pnm()));

    DecodeJob job{request.model, request.context_tokens, 0, request.format};
    // A quarter of the context explains the paper's batch of the baseline, its throughput ratio and
    // its recall traffic at once (hypothesis, derived by hand).
    const std::int64_t quarter = std::max<std::int64_t>(1, request.context_tokens / 4);
    job.budget_tokens = std::min(request.budget_tokens.value_or(quarter), request.context_tokens);

    SimulationResult result;
    result.model = request.model.name;
    result.system = request.system.name;
    result.policy = std::string(policy->name());
    result.context_tokens = request.context_tokens;
    result.seed = request.seed;
    result.tp = hardware.gpus;
    result.pp = 1;
    if (policy->selects_pages()) {
        result.budget_tokens = job.budget_tokens;
        result.page_size_tokens = request.format.page_tokens;
    }

    const Fit fit = policy->fit(hardware, job);
    result.capacity = fit.capacity;
    result.kv_bytes_per_request = fit.request.kv_bytes;
    if (policy->selects_pages()) result.digest_bytes_per_request = fit.request.digest_bytes;
    result.batch = request.batch.value_or(fit.max_batch);
    if (fit.max_batch == 0) {
        result.reason = fit.reason;
    } else if (result.batch > fit.max_batch) {
        result.reason = fmt::format("{} requests do not: {} {} x {} requests of {} make {} at most",
                                    result.batch, fit.capacity.devices, fit.capacity.device,
                                    fit.capacity.requests_per_device,
                                    format_bytes(fit.capacity.request_bytes), fit.max_batch);
    }
    result.capacity->requests_per_device = requests_on_fullest(fit, result.batch);
    if (!result.reason.empty()) {
        result.batch = 0;
        result.capacity->requests_per_device = 0;
        result.micro_batches = 0;
        add_assumptions(request, *policy, job, constants, result);
        return result;
    }

    MEMSIDE_TRY(const StepPlan step, policy->plan(hardware, job, result.batch));
    const Schedule schedule = run(step.graph);
    const auto tokens = static_cast<double>(result.batch);
    result.tpot_s = schedule.makespan_s;
    // Every step is alike until page selection runs, so the percentiles coincide.
    result.tpot_p50_s = result.tpot_p95_s = result.tpot_p99_s = result.tpot_s;
    result.throughput_tok_per_s = tokens / schedule.makespan_s;
    result.kv_bytes_read_per_step = step.kv_bytes_read;
    if (policy->selects_pages()) result.digest_bytes_read_per_step = step.digest_bytes_read;
    result.pages_selected_per_step = step.pages_selected;
    result.pages_recalled_per_step = step.pages_recalled;
    const SimulationResult::Capacity& capacity = fit.capacity;
    result.kv_capacity_utilization = tokens * fit.kv_request_bytes / fit.kv_capacity_bytes;

    add_phases(step.graph, schedule, result);
    add_resources(step.graph, schedule, result);
    for (const ResourceBusy& resource : result.resources) {
        if (resource.name == "gpu") {
            result.gpu_utilization = resource.busy_s / schedule.makespan_s;
        } else if (resource.name == "pnm") {
            const double active = std::min<double>(tokens, static_cast<double>(capacity.devices));
            result.device_utilization = resource.busy_s / schedule.makespan_s * active /
                                        static_cast<double>(capacity.devices);
        }
    }
    add_energy_and_cost(step, constants, result);
    add_assumptions(request, *policy, job, constants, result);
    add_timeline(step.graph, schedule, result);
    return result;
}

}  // namespace memside
