#include "study/explain.h"

#include "base/parallel.h"
#include "base/quantity.h"
#include "base/text.h"
#include "cluster/policy.h"
#include "study/runner.h"
#include "study/simulation_options.h"

namespace memside {
namespace {

constexpr double least_relief = 0.1;  // of a phase's time: less does not name its bound

std::string role_name(std::string_view role) {
    if (role == "gpu") return "GPU";
    if (role == "pnm") return "PNM";
    if (role == "cxl") return "CXL memory";
    if (role == "pim") return "PIM";
    return "link";
}

// A quantity in the base unit that parse_quantity reads back to the same number.
std::string text_of(double value, Dimension dimension) {
    switch (dimension) {
        case Dimension::bytes:
            return fmt::format("{:.17g} B", value);
        case Dimension::bytes_per_second:
            return fmt::format("{:.17g} B/s", value);
        case Dimension::seconds:
            return fmt::format("{:.17g} s", value);
        case Dimension::hertz:
            return fmt::format("{:.17g} Hz", value);
        case Dimension::flop_per_second:
            return fmt::format("{:.17g} GFLOP/s", value / 1e9);
        default:
            break;
    }
    return fmt::format("{:.17g}", value);
}

class Improvements {
  public:
    Improvements(const SimulationResult& result, const SimulationRequest& request)
        : result_(result), system_(request.system) {}

    std::vector<Improvement> list() {
        for (const std::string& role : system_.roles()) add_role(role);
        add_fabric("bandwidth", "memory links, bandwidth x 2", "link bandwidth");
        add_fabric("latency", "memory links, latency / 2", "link latency");
        const Policy* policy = *find_policy(result_.policy);
        if (result_.budget_tokens && *result_.budget_tokens > 1) {
            add("budget / 2", "budget",
                {{"budget", std::to_string(*result_.budget_tokens / 2), ""}});
        }
        if (result_.overlap == "none" && result_.micro_batches == 1 && result_.batch > 1 &&
            (policy->uses_pnm() || policy->selects_pages() || system_.has("device_link"))) {
            add("overlap half-batches", "overlap", {{"overlap", "half-batches", ""}});
        }
        if (has_setting("context")) {
            add("batch x 2", "batch", {{"batch", std::to_string(2 * result_.batch), ""}});
        }
        return std::move(list_);
    }

  private:
    void add(std::string name, std::string limit, std::vector<Setting> settings) {
        Improvement improvement;
        improvement.name = std::move(name);
        improvement.limit = std::move(limit);
        improvement.settings = std::move(settings);
        list_.push_back(std::move(improvement));
    }

    bool has_setting(std::string_view name) const {
        return std::any_of(result_.settings.begin(), result_.settings.end(),
                           [&](const auto& pair) { return pair.first == name; });
    }

    // Whether the simulation has read the constant: others change nothing.
    bool is_read(const std::string& path) const {
        return std::any_of(result_.constants.begin(), result_.constants.end(),
                           [&](const Constant& constant) { return constant.path == path; });
    }

    static Setting twice(const Constant& constant) {
        return {constant.path, text_of(constant.value * 2.0, constant.dimension), ""};
    }
    static Setting half(const Constant& constant) {
        return {constant.path, text_of(constant.value / 2.0, constant.dimension), ""};
    }

    void add_role(const std::string& role) {
        const Component& component = system_.at(role);
        const std::string name = role_name(role);
        std::vector<Setting> latencies;
        for (const SchemaKey& key : schema(component.kind)) {
            const Constant& constant = component.constant(key.key);
            if (!is_read(constant.path) || constant.value == 0.0) continue;
            const std::string text = constant.path + " x 2";
            switch (key.dimension) {
                case Dimension::bytes_per_second:
                    add(text, name + " bandwidth", {twice(constant)});
                    break;
                case Dimension::flop_per_second:
                case Dimension::hertz:
                    add(text, name + " compute", {twice(constant)});
                    break;
                case Dimension::bytes:
                    if (key.key == "memory_capacity") add(text, "capacity", {twice(constant)});
                    break;
                case Dimension::seconds:
                    latencies.push_back(half(constant));
                    break;
                default:
                    break;
            }
        }
        if (latencies.size() == 1) {
            add(latencies.front().name + " / 2", name + " latency", latencies);
        } else if (!latencies.empty()) {
            add(role + ", latencies / 2", name + " latency", latencies);
        }
        if (find_role(role)->count == CountRule::given && result_has_role(role)) {
            add(role + ".count x 2", "number of devices",
                {{role + ".count", std::to_string(component.count * 2), ""}});
        }
    }

    bool result_has_role(const std::string& role) const {
        return std::any_of(
            result_.constants.begin(), result_.constants.end(), [&](const Constant& constant) {
                return constant.path.starts_with(role + ".") &&
                       !constant.path.ends_with("_power") && !constant.path.ends_with(".price");
            });
    }

    // All hops between GPUs and memory devices at once: one alone is often not enough.
    void add_fabric(std::string_view key, std::string name, std::string limit) {
        std::vector<Setting> settings;
        for (const char* role : {"host_link", "uplink", "device_link"}) {
            if (!system_.has(role)) continue;
            const Constant& constant = system_.at(role).constant(key);
            if (!is_read(constant.path) || constant.value == 0.0) continue;
            settings.push_back(key == "latency" ? half(constant) : twice(constant));
        }
        if (settings.size() > 1) add(std::move(name), std::move(limit), std::move(settings));
    }

    const SimulationResult& result_;
    const SystemSpec& system_;
    std::vector<Improvement> list_;
};

// The role of a resource of the timeline, by its name there.
std::string role_of(std::string_view resource) {
    constexpr std::pair<std::string_view, std::string_view> prefixes[] = {
        {"GPU link", "gpu_link"}, {"GPUs", "gpu"},
        {"PNM", "pnm"},           {"CXL memory", "cxl"},
        {"PIM", "pim"},           {"host link", "host_link"},
        {"uplink", "uplink"},     {"device link", "device_link"}};
    for (const auto& [prefix, role] : prefixes) {
        if (resource.starts_with(prefix)) return std::string(role);
    }
    return std::string(resource);
}

// Peaks of one resource as the timeline counts its work: one GPU, one device, one link; the group
// of all host links and the interleaved modules of plain CXL memory are one resource each.
void add_peaks(const SystemSpec& system, PhaseBound& phase) {
    const Component* part = system.find(phase.resource);
    if (part == nullptr) return;
    const auto value = [&](std::string_view key) {
        return schema_key(part->kind, key) == nullptr ? 0.0 : part->value(key);
    };
    if (phase.resource == "gpu" || phase.resource == "pnm") {
        phase.peak_bytes_per_s = value("memory_bandwidth");
        // A multiplier makes a product a cycle, and an adder its sum.
        phase.peak_flop_per_s = phase.resource == "gpu"
                                    ? value("peak_fp16")
                                    : 2.0 * value("multipliers") * value("clock");
    } else if (phase.resource == "cxl") {
        phase.peak_bytes_per_s = value("memory_bandwidth") * part->count;
    } else if (part->kind == ComponentKind::link) {
        phase.peak_bytes_per_s =
            value("bandwidth") * (phase.resource == "host_link" ? system.count("gpu") : 1);
    }
}

std::vector<PhaseBound> phases_of(const SimulationResult& result, const SystemSpec& system) {
    std::vector<PhaseBound> phases;
    for (const PhaseTime& time : result.phases) {
        PhaseBound phase;
        phase.name = time.name;
        phase.time_s = time.time_s;
        phase.share = time.time_s / *result.tpot_s;
        struct Work {
            double time_s = 0, bytes = 0, flops = 0;
        };
        std::map<std::string, Work> by_role;
        for (const TimelineTask& task : result.timeline) {
            if (!task.critical || task.phase != time.name) continue;
            Work& work = by_role[role_of(
                result.timeline_resources[static_cast<std::size_t>(task.resource)])];
            work.time_s += task.duration_s;
            work.bytes += task.bytes;
            work.flops += task.flops;
        }
        const auto most = std::max_element(
            by_role.begin(), by_role.end(),
            [](const auto& a, const auto& b) { return a.second.time_s < b.second.time_s; });
        if (most != by_role.end()) {
            phase.resource = most->first;
            add_peaks(system, phase);
            if (most->second.time_s > 0.0) {
                phase.bytes_per_s = most->second.bytes / most->second.time_s;
                phase.flop_per_s = most->second.flops / most->second.time_s;
            }
        }
        phases.push_back(std::move(phase));
    }
    return phases;
}

double phase_time(const SimulationResult& result, const std::string& name) {
    for (const PhaseTime& phase : result.phases) {
        if (phase.name == name) return phase.time_s;
    }
    return 0.0;
}

// What no constant of the system speeds up inside a DRAM-PIM module.
void name_module_bounds(std::vector<PhaseBound>& phases) {
    constexpr std::pair<std::string_view, const char*> parts[] = {{"fc", "PIM banks"},
                                                                  {"attention", "PIM banks"},
                                                                  {"softmax", "PIM hub"},
                                                                  {"vector", "PIM hub"}};
    for (PhaseBound& phase : phases) {
        for (const auto& [name, bound] : parts) {
            if (phase.bound.empty() && phase.name == name) phase.bound = bound;
        }
    }
}

// Not hardware, or not at the same batch: these do not say what a phase is bound by.
bool names_a_bound(const Improvement& improvement) {
    for (const char* limit : {"budget", "overlap", "batch", "capacity", "number of devices"}) {
        if (improvement.limit == limit) return false;
    }
    return true;
}

}  // namespace

std::vector<Improvement> possible_improvements(const SimulationResult& result,
                                               const SimulationRequest& request) {
    return Improvements(result, request).list();
}

Result<Explanation> explain(const SimulationResult& saved, const std::string& file, unsigned jobs) {
    if (saved.settings.empty()) {
        return bad_input(file,
                         "does not say how to make it again: no 'request'; write it with "
                         "this version's simulate --json");
    }
    Settings settings;
    settings.file = file;
    for (const auto& [key, value] : saved.settings) {
        Setting setting{key, value, file};
        if (!setting.is_set() && option_group(key) == nullptr) {
            return bad_input(file, "unknown setting " + in_quotes(key) + " in 'request'");
        }
        settings.list.push_back(std::move(setting));
    }
    MEMSIDE_TRY(const SimulationRequest request, read_request(settings));
    Explanation out;
    MEMSIDE_TRY(out.result, simulate(request));
    if (out.result.batch == 0) {
        return Error{file, "nothing fits, so there is no step to explain: " + out.result.reason,
                     Error::Kind::infeasible};
    }
    out.same = saved.throughput_tok_per_s == out.result.throughput_tok_per_s &&
               saved.batch == out.result.batch;
    out.phases = phases_of(out.result, request.system);
    out.improvements = possible_improvements(out.result, request);

    // Each twice: as asked, and at the original's batch to see what it does to each phase.
    std::vector<SimulationResult> fixed(out.improvements.size());
    parallel_for(out.improvements.size(), jobs, [&](std::size_t i) {
        Improvement& improvement = out.improvements[i];
        Settings changed = settings;
        for (const Setting& setting : improvement.settings) changed.put(setting);
        const auto better = read_request(changed);
        if (!better.ok()) {
            improvement.reason = better.error().message();
            return;
        }
        const SimulationResult result = run_point(*better);
        improvement.batch = result.batch;
        improvement.reason = result.reason;
        if (result.batch > 0) {
            improvement.throughput_ratio =
                *result.throughput_tok_per_s / *out.result.throughput_tok_per_s;
        }
        if (!names_a_bound(improvement)) return;
        SimulationRequest same_batch = *better;
        if (better->workload.empty()) same_batch.batch = out.result.batch;
        // Modules by themselves are searched for the best pair: another one has other phases.
        const bool alone = better->policy == "pim" && !better->system.has("gpu");
        if (alone) {
            same_batch.pim.tp = *out.result.tp;
            same_batch.pim.pp = *out.result.pp;
        }
        const bool same = !alone && (result.batch == out.result.batch || !better->workload.empty());
        fixed[i] = same ? result : run_point(same_batch);
    });
    for (PhaseBound& phase : out.phases) {
        for (std::size_t i = 0; i < fixed.size(); ++i) {
            if (fixed[i].batch == 0 || phase.time_s <= 0.0) continue;
            const double relief = 1.0 - phase_time(fixed[i], phase.name) / phase.time_s;
            if (relief < least_relief || relief <= phase.relief) continue;
            phase.relief = relief;
            phase.bound = out.improvements[i].limit;
        }
    }
    if (out.result.policy == "pim") name_module_bounds(out.phases);
    std::stable_sort(out.improvements.begin(), out.improvements.end(),
                     [](const Improvement& a, const Improvement& b) {
                         return a.throughput_ratio.value_or(0.0) > b.throughput_ratio.value_or(0.0);
                     });
    return out;
}

}  // namespace memside
