#include "study/settings.h"

#include "base/number.h"
#include "base/text.h"
#include "cluster/policy.h"
#include "model/catalog.h"
#include "study/pim_options.h"
#include "study/simulation_options.h"
#include "system/catalog.h"

namespace memside {
namespace {

constexpr std::int64_t largest_count = 1'000'000;

class RequestReader {
  public:
    explicit RequestReader(const Settings& settings) : settings_(settings) {}

    Result<SimulationRequest> read() {
        SimulationRequest request;
        MEMSIDE_TRY(const std::string model, required("model"));
        MEMSIDE_TRY(const std::string system, required("system"));
        MEMSIDE_TRY(request.policy, required("policy"));
        const Setting* workload = settings_.find("workload");
        const Setting* context = settings_.find("context");
        if (workload != nullptr && context != nullptr) {
            return bad_input(workload->shown(), "gives contexts itself; leave out --context");
        }
        if (workload == nullptr && context == nullptr) return required("context").error();
        MEMSIDE_TRY(const Policy* policy, located("policy", find_policy(request.policy)));
        MEMSIDE_CHECK(refuse_meaningless(*policy));
        if (workload != nullptr) {
            MEMSIDE_TRY(const std::int64_t seed, integer("seed", 1, 0, INT64_MAX));
            MEMSIDE_TRY(request.workload,
                        this->workload(workload->value, static_cast<std::uint64_t>(seed)));
        } else {
            MEMSIDE_CHECK(refuse_without_workload());
            MEMSIDE_TRY(request.context_tokens, parse_tokens(context->value, context->shown()));
        }
        MEMSIDE_TRY(const std::size_t placement,
                    choice("placement", "lpt", {"lpt", "round-robin"}));
        request.placement = static_cast<Placement>(placement);
        MEMSIDE_TRY(request.model, located("model", load_model(model)));
        MEMSIDE_TRY(request.system, read_system(system));
        MEMSIDE_TRY(request.format, page_format(request.model));
        MEMSIDE_TRY(request.selection, selection_options(*policy));
        if (policy->uses_pim()) {
            MEMSIDE_TRY(request.pim, read_pim_options(settings_));
        } else if (const Setting* program = settings_.find("program")) {
            request.program_file = program->value;
            MEMSIDE_TRY(request.programs, located("program", layer_programs(program->value)));
        }
        MEMSIDE_TRY(const std::size_t overlap, choice("overlap", "none", {"none", "half-batches"}));
        request.half_batches = overlap == 1;
        if (settings_.text("batch").value_or("max") != "max") {
            MEMSIDE_TRY(request.batch, integer("batch", 0, 1, largest_count));
            // A workload runs as many as fit, up to these.
            if (workload != nullptr)
                request.serving.most_requests = std::exchange(request.batch, {});
        }
        if (const Setting* budget = settings_.find("budget")) {
            MEMSIDE_TRY(request.budget_tokens, parse_tokens(budget->value, budget->shown()));
        }
        MEMSIDE_TRY(const std::int64_t seed, integer("seed", 1, 0, INT64_MAX));
        request.seed = static_cast<std::uint64_t>(seed);
        for (const Setting& setting : settings_.list) {
            // Those never change the result.
            if (setting.name == "threads" || setting.name == "pim-cache") continue;
            request.settings.emplace_back(setting.name, setting.value);
        }
        return request;
    }

  private:
    // Says in front of another reader's message which line of the spec it is about.
    template <typename T>
    Result<T> located(std::string_view name, Result<T> result) const {
        const Setting* setting = settings_.find(name);
        if (result.ok() || setting == nullptr || setting->where.empty()) return result;
        const Error& error = result.error();
        return Error{setting->shown(), error.message(), error.kind};
    }

    Result<std::string> required(const std::string& name) const {
        if (const Setting* setting = settings_.find(name)) return setting->value;
        if (settings_.file.empty()) {
            return bad_input("--" + name, "is required; --help shows examples");
        }
        return bad_input(settings_.file, fmt::format("a point has no '{}'", name));
    }

    Result<std::int64_t> integer(std::string_view name, std::int64_t fallback, std::int64_t low,
                                 std::int64_t high) const {
        const Setting* setting = settings_.find(name);
        if (setting == nullptr) return fallback;
        return parse_integer(setting->value, low, high, setting->shown());
    }

    Result<std::size_t> choice(std::string_view name, const std::string& fallback,
                               const std::vector<std::string>& allowed) const {
        const Setting* setting = settings_.find(name);
        return parse_choice(setting == nullptr ? fallback : setting->value, allowed,
                            setting == nullptr ? "" : setting->shown());
    }

    static Result<pnm::LayerPrograms> layer_programs(const std::string& file) {
        MEMSIDE_TRY(const ConfigNode root, read_config(file));
        return pnm::parse_layer_programs(root);
    }

    // What is said of an option of the command line is said of the spec's line.
    Result<Workload> workload(const std::string& source, std::uint64_t seed) const {
        WorkloadOptions options;
        options.source = source;
        options.seed = seed;
        if (settings_.find("requests") != nullptr) {
            MEMSIDE_TRY(options.requests, integer("requests", 0, 1, most_workload_requests));
        }
        if (const Setting* output = settings_.find("output-tokens")) {
            MEMSIDE_TRY(options.output_tokens, parse_tokens(output->value, output->shown()));
        }
        if (const Setting* rate = settings_.find("arrival-rate")) {
            MEMSIDE_TRY(options.arrivals_per_s, parse_number(rate->value, rate->shown()));
            if (*options.arrivals_per_s <= 0.0) {
                return bad_input(rate->shown(),
                                 fmt::format("{} is out of range; allowed: requests a second, "
                                             "above 0",
                                             in_quotes(rate->value)));
            }
        }
        return located("workload", make_workload(options));
    }

    Status refuse_without_workload() const {
        for (const char* name : {"requests", "output-tokens", "arrival-rate"}) {
            if (const Setting* setting = settings_.find(name)) {
                return bad_input(setting->shown(), "is of a workload; give --workload as well");
            }
        }
        return {};
    }

    Status refuse_meaningless(const Policy& policy) const {
        for (const Setting& setting : settings_.list) {
            const SimulationOptionGroup* group = option_group(setting.name);
            if (group == nullptr || group->read_by == nullptr || group->read_by(policy)) continue;
            return bad_input(setting.shown(),
                             fmt::format("has no meaning for --policy {}; it is for {}",
                                         policy.name(), join(readers_of(*group), ", ")));
        }
        return {};
    }

    // scores.NAME belongs to the synthetic score source, all else to the system.
    static bool is_score(const Setting& setting) { return setting.name.starts_with("scores."); }

    Result<SystemSpec> read_system(const std::string& name) const {
        std::vector<std::pair<std::string, std::string>> overrides;
        for (const Setting& setting : settings_.list) {
            if (setting.is_set() && !is_score(setting)) {
                overrides.emplace_back(setting.name, setting.value);
            }
        }
        Result<SystemSpec> system = load_system(name, overrides);
        if (system.ok() || settings_.file.empty()) return system;
        // A message about a pair begins with "--set PATH".
        for (const Setting& setting : settings_.list) {
            if (setting.is_set() && system.error().where == "--set " + setting.name) {
                return bad_input(setting.shown(), system.error().what);
            }
        }
        return located("system", std::move(system));
    }

    Result<kv::PageFormat> page_format(const ModelSpec& model) const {
        kv::PageFormat format;
        if (const Setting* size = settings_.find("page-size")) {
            MEMSIDE_TRY(format.page_tokens, kv::parse_page_tokens(size->value, size->shown()));
        }
        MEMSIDE_TRY(const std::size_t value, choice("kv-type", "f16", kv::value_type_names()));
        MEMSIDE_TRY(const std::size_t kind, choice("digest", "minmax", kv::digest_kind_names()));
        MEMSIDE_TRY(const std::size_t type, choice("digest-type", "f16", kv::digest_type_names()));
        format.value_type = static_cast<kv::ValueType>(value);
        format.digest_kind = static_cast<kv::DigestKind>(kind);
        format.digest_type = static_cast<kv::DigestType>(type);
        MEMSIDE_TRY(const std::int64_t dense, integer("dense-layers", 0, 0, model.layers));
        format.dense_layers = static_cast<int>(dense);
        return format;
    }

    Result<SelectionOptions> selection_options(const Policy& policy) const {
        SelectionOptions selection;
        MEMSIDE_TRY(selection.pinned.sink, integer("sink-pages", 0, 0, largest_count));
        MEMSIDE_TRY(selection.pinned.recent, integer("recent-pages", 0, 0, largest_count));
        MEMSIDE_TRY(selection.steps, integer("steps", selection.steps, 1, largest_count));
        MEMSIDE_TRY(selection.warmup_steps,
                    integer("warmup", selection.warmup_steps, 0, largest_count));
        if (settings_.text("select-sample").value_or("8") == "all") {
            selection.sample_pairs = 0;
        } else {
            MEMSIDE_TRY(selection.sample_pairs,
                        integer("select-sample", selection.sample_pairs, 1, largest_count));
        }
        MEMSIDE_TRY(const std::int64_t threads, integer("threads", 0, 0, 1024));
        selection.threads = static_cast<unsigned>(threads);
        selection.scores = settings_.text("scores").value_or("synthetic");
        for (const Setting& setting : settings_.list) {
            if (!is_score(setting)) continue;
            if (!policy.may_select_pages()) {
                return bad_input(setting.shown(),
                                 fmt::format("has no meaning for --policy {}", policy.name()));
            }
            if (selection.scores != "synthetic") {
                return bad_input(
                    setting.shown(),
                    fmt::format("has no meaning for {} scores (--scores {})",
                                selection.scores == "random-keys" ? "random" : "recorded",
                                in_quotes(selection.scores)));
            }
            MEMSIDE_TRY(const double value, parse_number(setting.value, setting.shown()));
            MEMSIDE_CHECK(kv::set_synthetic_parameter(
                selection.synthetic, setting.name.substr(std::string_view("scores.").size()), value,
                setting.shown()));
        }
        return selection;
    }

    const Settings& settings_;
};

}  // namespace

std::string Setting::shown() const {
    if (where.empty()) return fmt::format("{}{}", is_set() ? "--set " : "--", name);
    return fmt::format("{}: {}", where, name);
}

const Setting* Settings::find(std::string_view name) const {
    for (auto setting = list.rbegin(); setting != list.rend(); ++setting) {
        if (setting->name == name) return &*setting;
    }
    return nullptr;
}

std::optional<std::string> Settings::text(std::string_view name) const {
    const Setting* setting = find(name);
    return setting == nullptr ? std::nullopt : std::optional(setting->value);
}

void Settings::put(Setting setting) {
    const auto same = [&](const Setting& other) { return other.name == setting.name; };
    const auto found = std::find_if(list.begin(), list.end(), same);
    if (found == list.end()) {
        list.push_back(std::move(setting));
    } else {
        *found = std::move(setting);
    }
}

Result<SimulationRequest> read_request(const Settings& settings) {
    return RequestReader(settings).read();
}

}  // namespace memside
