#include "cluster/pim_simulation.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/number.h"
#include "base/text.h"
#include "cluster/assumptions.h"
#include "cluster/cost.h"
#include "cluster/energy.h"
#include "cluster/page_sample.h"
#include "cluster/pim_checks.h"
#include "cluster/pim_kernels_between.h"
#include "cluster/pim_pages.h"
#include "cluster/pim_program.h"
#include "cluster/pim_step.h"
#include "cluster/policy.h"
#include "cluster/serving_pim.h"
#include "cluster/serving_result.h"
#include "pim/run_names.h"

namespace memside {
namespace {

constexpr std::int64_t most_requests = 100'000;

// What its steps select; `pim` of the request with it.
PimOptions with_pages(const SimulationRequest& request) {
    PimOptions options = request.pim;
    if (request.budget_tokens) {
        options.pages = std::make_shared<PimPages>(
            request.model, request.format, *request.budget_tokens, request.selection, request.seed);
    }
    return options;
}

std::int64_t longest_context(const SimulationRequest& request) {
    // The last token of a workload's request is put out, not attended.
    return request.workload.empty() ? request.context_tokens : request.workload.longest() - 1;
}

// A pair of TP and PP with what it leads to; `step` is empty when nothing fits.
struct Candidate {
    PimPlan plan;
    PimFit fit;
    std::int64_t batch = 0;
    std::optional<PimStep> step;
    std::optional<ServedResult> served;  // of a workload

    bool runs() const { return step || (served && served->reason.empty()); }
    double throughput() const {
        if (!runs()) return 0.0;
        return served ? static_cast<double>(served->tokens) / served->simulated_s
                      : static_cast<double>(batch) / step->step_s;
    }
};

class PimSimulation {
  public:
    PimSimulation(const SimulationRequest& request, const PimOptions& options,
                  const PimMachine& machine, const PimDescription& description, PimKernels& kernels)
        : request_(request),
          options_(options),
          machine_(machine),
          description_(description),
          kernels_(kernels),
          between_(kernels) {}

    // The pair that was asked for, or the one that decodes the most tokens a second.
    Result<Candidate> choose() {
        std::vector<std::pair<std::int64_t, std::int64_t>> pairs{{options_.tp, options_.pp}};
        if (options_.tp == 0) pairs = pim_pairs(request_.model, machine_.modules);
        if (pairs.empty()) {
            return bad_input(
                "--system",
                fmt::format("no tp x pp makes the {} modules of {} with at most {} KV heads and {} "
                            "layers of {}",
                            machine_.modules, request_.system.name, request_.model.kv_heads,
                            request_.model.layers, request_.model.name));
        }
        std::optional<Candidate> best;
        for (const auto& [tp, pp] : pairs) {
            MEMSIDE_TRY(Candidate candidate, evaluate(tp, pp));
            const bool better = !best || candidate.throughput() > best->throughput() ||
                                (!best->runs() && candidate.fit.max_batch > best->fit.max_batch);
            if (better) best = std::move(candidate);
        }
        return std::move(*best);
    }

  private:
    Result<Candidate> evaluate(std::int64_t tp, std::int64_t pp) {
        Candidate candidate;
        MEMSIDE_TRY(candidate.plan, make_pim_plan(request_.model, machine_.modules, tp, pp));
        if (const auto& attention = request_.pim.program.attention) {
            MEMSIDE_CHECK(fit_attention_program(*attention, request_.pim.program_file,
                                                request_.model, candidate.plan,
                                                request_.pim.program));
        }
        candidate.fit =
            pim_fit(candidate.plan, request_.model, machine_, options_, longest_context(request_));
        if (!request_.workload.empty()) {
            const auto model = make_pim_step_model(
                {request_.model, machine_, description_, candidate.plan, options_,
                 request_.workload.longest(), candidate.fit.kv_capacity_bytes},
                between_);
            MEMSIDE_TRY(candidate.served, serve(request_.workload, *model, request_.serving));
            return candidate;
        }
        const std::vector<std::int64_t> contexts = admitted(candidate);
        candidate.batch = std::ssize(contexts);
        if (contexts.empty()) return candidate;
        MEMSIDE_TRY(candidate.step, plan_pim_step(request_.model, machine_, candidate.plan,
                                                  options_, kernels_, contexts));
        return candidate;
    }

    // The requests that decode together; none when they do not fit.
    std::vector<std::int64_t> admitted(const Candidate& candidate) const {
        const std::int64_t most = std::min(candidate.fit.max_batch, most_requests);
        const std::int64_t batch = request_.batch.value_or(most);
        if (batch > most) return {};
        return std::vector<std::int64_t>(static_cast<std::size_t>(batch), request_.context_tokens);
    }

    const SimulationRequest& request_;
    const PimOptions& options_;
    const PimMachine& machine_;
    const PimDescription& description_;
    PimKernels& kernels_;
    KernelsBetween between_;  // of a workload's many lengths
};

SimulationResult blank(const SimulationRequest& request) {
    SimulationResult result;
    result.model = request.model.name;
    result.system = request.system.name;
    result.policy = request.policy;
    const double mean = request.workload.empty() ? static_cast<double>(request.context_tokens)
                                                 : request.workload.mean_context();
    result.context_tokens = static_cast<std::int64_t>(std::llround(mean));
    result.seed = request.seed;
    result.settings = request.settings;
    result.kv_type = kv::value_type_names()[static_cast<std::size_t>(request.format.value_type)];
    result.kv_bytes_per_request = kv::dense_request_bytes(
        request.model, kv::ValueType::bf16, static_cast<std::int64_t>(std::llround(mean)));
    if (!request.budget_tokens) return result;
    const kv::PageFormat& format = request.format;
    result.budget_tokens = *request.budget_tokens;
    result.page_size_tokens = format.page_tokens;
    result.digest = kv::digest_kind_names()[static_cast<std::size_t>(format.digest_kind)];
    result.digest_type = kv::digest_type_names()[static_cast<std::size_t>(format.digest_type)];
    result.dense_layers = format.dense_layers;
    result.sink_pages = request.selection.pinned.sink;
    result.recent_pages = request.selection.pinned.recent;
    result.digest_bytes_per_request =
        kv::request_bytes(request.model, format, result.context_tokens).digest_bytes;
    return result;
}

void add_capacity(const SimulationRequest& request, const Candidate& chosen,
                  const PimMachine& machine, SimulationResult& result) {
    SimulationResult::Capacity capacity;
    capacity.device = "pim";
    capacity.devices = machine.modules;
    capacity.capacity_bytes = machine.module.capacity_bytes;
    capacity.weight_bytes = chosen.fit.weight_bytes;
    capacity.request_bytes = chosen.fit.request_bytes;
    capacity.requests_per_device = chosen.batch;
    if (!request.workload.empty()) {
        // Of a mean request.
        capacity.request_bytes =
            pim_fit(chosen.plan, request.model, machine, request.pim, result.context_tokens)
                .request_bytes;
    }
    result.capacity = capacity;
}

std::string why_nothing_fits(const SimulationRequest& request, const Candidate& chosen,
                             const PimMachine& machine) {
    const PimFit& fit = chosen.fit;
    const std::string where =
        fmt::format("a module of {} holds {} of weights and {} of each request (tp {}, pp {}, {})",
                    format_bytes(machine.module.capacity_bytes), format_bytes(fit.weight_bytes),
                    format_bytes(fit.request_bytes), chosen.plan.tp, chosen.plan.pp,
                    request.pim.access == PimAccess::chunks ? "chunks" : "the window reserved");
    if (!request.workload.empty()) {
        return fmt::format("{}: {}", chosen.served->reason, where);
    }
    if (fit.max_batch > 0 && request.batch) {
        return fmt::format("a batch of {} was asked for and {} at most fit: {}", *request.batch,
                           fit.max_batch, where);
    }
    return fmt::format("no request of {} fits: {}", format_tokens(request.context_tokens), where);
}

void add_step(const Candidate& chosen, const PimMachine& machine, const PimDescription& description,
              SimulationResult& result) {
    const PimStep& step = *chosen.step;
    result.micro_batches = step.groups;
    result.tpot_s = step.step_s;
    result.tpot_p50_s = result.tpot_p95_s = result.tpot_p99_s = result.tpot_s;
    result.throughput_tok_per_s = static_cast<double>(result.batch) / step.step_s;
    result.phases = step.phases;
    const double live_bytes =
        static_cast<double>(result.batch) * static_cast<double>(*result.kv_bytes_per_request);
    result.kv_bytes_read_per_step = live_bytes;
    result.kv_capacity_utilization = live_bytes / chosen.fit.kv_capacity_bytes;
    result.device_utilization = step.mean_busy_s / step.step_s;
    result.pim_mac_utilization = pim_mac_utilization(step, machine, description.timing);
    // Channels that no row was opened in, as those without a pair under HFP, count for nothing.
    const double channels =
        static_cast<double>(machine.modules) * machine.module.channel_groups * pim::channel_count;
    result.resources = {{"pim, mean", step.mean_busy_s},
                        {"pim, slowest", step.most_busy_s},
                        {"pim MACs", *result.pim_mac_utilization * step.step_s},
                        {"pim channel, mean", step.work.kernels.open_channel_s / channels}};
}

// What selection counts, and the bytes that the banks read for it: whole pages of the sampled sets.
Status add_selection(const SimulationRequest& request, PimPages& pages, SimulationResult& result) {
    const ModelSpec& model = request.model;
    const kv::PageFormat& format = request.format;
    const Requests groups{{request.context_tokens, result.batch}};
    const int selecting = selecting_layers(model, format);
    if (selecting > 0) {
        DecodeJob job{.model = model,
                      .context_tokens = 0,
                      .fixed_budget = request.budget_tokens,
                      .format = format};
        for (const RequestGroup& group : groups) {
            job.context_tokens = std::max(job.context_tokens, group.context_tokens);
        }
        MEMSIDE_TRY(const SampledPages sampled,
                    sample_pages(
                        job, groups, request.selection,
                        [](std::int64_t) { return ResidencySetup{}; }, request.seed));
        result.select_sample = sampled.pairs;
        result.drop_out_rate = sampled.drop_out_rate;
        for (const kv::StepMeans& step : sampled.by_step) {
            result.page_steps.push_back({step.selected, step.recalled, step.dropped_out});
        }
    }
    const double token_bytes = 2.0 * static_cast<double>(model.kv_values_per_token_layer());
    const double digest_bytes =
        2.0 * kv::digest_vectors * model.kv_heads * static_cast<double>(model.head_dim);
    double selected = 0;
    double kv_read = 0;
    double digests_read = 0;
    for (const RequestGroup& group : groups) {
        const auto count = static_cast<double>(group.count);
        double mean = 0;
        if (selecting > 0) {
            MEMSIDE_TRY(mean, pages.mean_pages(group.context_tokens));
        }
        selected += count * mean;
        const std::int64_t tokens = group.context_tokens + 1;
        const auto of_context = static_cast<double>(kv::page_count(tokens, format.page_tokens));
        for (int layer = 0; layer < model.layers; ++layer) {
            const bool selects = kv::selects(model, format, layer);
            const double attended = selects
                                        ? std::min(mean * static_cast<double>(format.page_tokens),
                                                   static_cast<double>(tokens))
                                        : static_cast<double>(model.kept_tokens(layer, tokens));
            kv_read += count * attended * token_bytes;
            if (selects) digests_read += count * of_context * digest_bytes;
        }
    }
    if (selecting > 0) {
        result.pages_selected_per_step = selected / static_cast<double>(result.batch);
        result.pages_recalled_per_step = 0;
    }
    result.kv_bytes_read_per_step = kv_read;
    result.digest_bytes_read_per_step = digests_read;
    result.bytes_recalled_per_step = 0;
    return {};
}

void add_shares(const ServedResult& served, SimulationResult& result) {
    result.device_utilization = served.sums.device_busy_s / served.simulated_s;
    result.pim_mac_utilization = served.sums.mac_busy_s / served.simulated_s;
}

void add_energy(const Candidate& chosen, const PimMachine& machine,
                const PimDescription& description, const PimOptions& options,
                ConstantReader& constants, SimulationResult& result) {
    constexpr double seconds_per_hour = 3600.0;
    const auto tokens = static_cast<double>(result.batch);
    result.energy = pim_energy(*chosen.step, machine, description, options);
    for (EnergyShare& share : result.energy) share.j_per_token /= tokens;
    result.energy_j_per_token = sum_of(result.energy);
    result.tokens_per_j = 1.0 / *result.energy_j_per_token;
    const Ownership owned = ownership(constants);
    result.energy_coarse_j_per_token = owned.power_w * *result.tpot_s / tokens;
    result.usd_per_hour = owned.usd_per_hour();
    result.tokens_per_usd = *result.throughput_tok_per_s * seconds_per_hour / *result.usd_per_hour;
}

void add_assumptions(const SimulationRequest& request, const Candidate& chosen,
                     const PimMachine& machine, const PimDescription& description,
                     const ConstantReader& constants, SimulationResult& result) {
    const auto add = [&](std::string key, std::string value, std::string source) {
        result.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    };
    const PimOptions& options = request.pim;
    add("parallelism", fmt::format("tp {}, pp {}", chosen.plan.tp, chosen.plan.pp),
        options.tp == 0 ? "searched: the pair of the highest throughput" : "as asked for");
    add("partition", options.program.partition == PimPartition::tcp ? "tcp" : "hfp",
        "assumed: under hfp pairs of head and request are dealt to channels anew in every layer, "
        "those of like length together");
    add("scheduler", std::string(pim::scheduler_name(options.program.scheduler)),
        "assumed: one accumulator per bank in order, one in each half with ping-pong, 64 with dcs");
    add("access", options.access == PimAccess::chunks ? "dpa" : "static",
        options.access == PimAccess::chunks
            ? "assumed: keys and values of a head and layer have chunks of 1 MiB of their own"
            : fmt::format("assumed: {} tokens are reserved for each request; loops end at its own",
                          format_tokens(reserved_tokens(request.model, options, 0))));
    if (!options.program.attention) {
        add("row-reuse", options.program.row_reuse ? "on" : "off", "as asked for or by default");
    } else {
        add("attention", options.program_file,
            "a program of the user's: its own order of commands, rows and accumulators; one run "
            "for "
            "each request");
    }
    add("refresh", options.program.refresh ? "on" : "off", "as asked for or by default");
    if (options.hub == PimHub::serial) {
        add("hub", "serial", "assumed: nothing overlaps with the extra processing unit");
    } else {
        add("hub", "overlap",
            "assumed: softmax and sums of a head (TCP) or round (HFP) run beside commands of the "
            "next one, whose scores have half of the 512 KiB of registers; channels and hub use "
            "them at once; serial where that is faster");
    }
    if (request.budget_tokens) {
        add_score_assumptions(request, result);
        add("selection", "per KV head",
            "assumed: each KV head has its own pages, so that modules need not agree; the hub adds "
            "up the scores of a head's queries and searches a threshold; several sampled page sets "
            "take turns over heads and requests");
        add("pages in banks", "as dense attention has them",
            "assumed: a page is whole columns: 16 of its tokens are a channel's key slot and a "
            "class's value column; lanes of channels work on pages of their own, and wait for the "
            "lane with the most");
        add("digests", "in rows of their own, high then low",
            "assumed: scored as keys of twice the head dimension; the new token's is read, updated "
            "and written in every step");
    }
    if (request.model.sliding_layers() > 0) {
        add("sliding windows", "rings",
            "assumed: a layer that slides keeps and attends its window alone, in a ring of places");
    }
    add("hub energy", "not counted",
        "not modelled: that of the extra processing unit; its time costs standby power");
    add("layers", "one after the other",
        machine.module.fc_in_banks
            ? "assumed: FC, attention and transfers of a group of requests do not overlap; a GEMV "
              "for each request"
            : "assumed: the processor and the banks do not overlap; one product for a group");
    if (chosen.runs()) {
        add("pipeline", fmt::format("{} groups", result.micro_batches),
            "assumed: requests are dealt to as many groups as there are stages, the longest first "
            "to the group with the fewest tokens");
    }
    add("collectives", "5 broadcasts and 5 gathers of the hidden size, one of each of the FFN's",
        "the public CENT artifact: per block, under TP; taken for NeuPIMs as well");
    add("embedding", "on the host", "assumed: the look-up takes no time and no room");
    add("weights", "bf16", "assumed: whatever type the file has, the banks hold 16-bit values");
    if (request.workload.empty()) {
        add("step times", "alike",
            "assumed: no request arrives or ends, or grows by more than a token");
    } else {
        add_serving_assumptions(request.workload, request.serving, result);
        add("kernel times", "between lengths a sixteenth of a power of two apart",
            "a straight line between two that were simulated");
    }
    if (longest_context(request) > request.model.window_tokens) {
        add("context", format_tokens(longest_context(request)),
            fmt::format("assumed: runs beyond the window of {} tokens that {} was trained for",
                        format_tokens(request.model.window_tokens), request.model.name));
    }
    result.constants = constants.used();
    const auto note = [&](std::string_view file, const dram::SourcedConstant& constant) {
        Constant noted;
        noted.path = fmt::format("{}.{}", file, constant.path);
        noted.text = constant.text;
        noted.source = constant.source;
        noted.where = constant.where;
        result.constants.push_back(std::move(noted));
    };
    for (const auto& constant : description.timing.constants) note("aim", constant);
    for (const auto& constant : description.hub.constants) note("hub", constant);
    for (const auto& constant : description.energy.constants) note("aim_energy", constant);
    for (const char* beginning : {"--set", "assumed", "inferred", "derived"}) {
        for (const Constant& constant : result.constants) {
            if (constant.source.starts_with(beginning)) {
                add(constant.path, constant.text, constant.source);
            }
        }
    }
}

}  // namespace

Result<SimulationResult> simulate_on_pim(const SimulationRequest& request) {
    ConstantReader constants(request.system);
    MEMSIDE_CHECK(check_modelled_on_pim(request, constants));
    const PimMachine machine = read_pim_machine(constants);
    MEMSIDE_TRY(const PimDescription description, read_pim_description());
    const PimOptions options = with_pages(request);
    const auto programs = make_program_kernels(description, options.program);
    RememberedKernels kernels(*programs, description, options.program, options.cache_folder);
    MEMSIDE_TRY(const Candidate chosen,
                PimSimulation(request, options, machine, description, kernels).choose());
    // A cache that cannot be written costs time only.
    static_cast<void>(kernels.save().ok());

    SimulationResult result = blank(request);
    result.tp = chosen.plan.tp;
    result.pp = chosen.plan.pp;
    result.batch = chosen.batch;
    result.micro_batches = 0;
    add_capacity(request, chosen, machine, result);
    if (!chosen.runs()) {
        result.batch = 0;
        result.reason = why_nothing_fits(request, chosen, machine);
        add_assumptions(request, chosen, machine, description, constants, result);
        return result;
    }
    if (chosen.served) {
        add_served(request.workload, *chosen.served, constants, result);
        add_shares(*chosen.served, result);
        add_assumptions(request, chosen, machine, description, constants, result);
        return result;
    }
    add_step(chosen, machine, description, result);
    if (options.pages != nullptr) MEMSIDE_CHECK(add_selection(request, *options.pages, result));
    add_energy(chosen, machine, description, request.pim, constants, result);
    add_assumptions(request, chosen, machine, description, constants, result);
    return result;
}

}  // namespace memside
