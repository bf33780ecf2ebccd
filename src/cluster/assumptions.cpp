#include "cluster/assumptions.h"

#include "base/number.h"
#include "cluster/serving_result.h"

namespace memside {
namespace {

// How the step is put together, where no source says how it must be.
void add_structure(const Policy& policy, const SimulationRequest& request,
                   SimulationResult& result) {
    const auto add = [&](std::string key, std::string value, std::string source) {
        result.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    };
    if (*result.tp > 1) {
        add("parallelism", fmt::format("tp {}, pp 1", *result.tp),
            "assumed: FC is tensor parallel over all GPUs, over nodes as well; Kim et al. do not "
            "state the split of a rack");
    }
    if (result.overlap == "none") {
        add("overlap", "none",
            "assumed: attention and FC of a layer wait for each other; Kim et al. describe no "
            "overlap of half-batches");
    }
    if (policy.uses_pnm() || policy.uses_cxl() || policy.uses_pim()) {
        add("transfers", "store and forward",
            "assumed: a layer's activations are stored and forwarded at host and switch; pages "
            "stream over all hops at once");
    }
    add("gpu power", "by activity",
        "assumed: a GPU draws its idle power, or its busy power while a kernel runs, and the "
        "energy "
        "of its FLOPs and HBM bits on top, up to the board's limit");
    if (request.workload.empty() && !policy.uses_pim()) {
        add("prefill", "one request, layer by layer",
            "assumed: all GPUs prefill one request alone, each layer's KV leaves while later work "
            "goes on, and the first token comes with the step that follows; no queue");
    }
    add("activations", "in the reserve",
        "assumed: activations and logits, a prompt's too, are part of the HBM that is reserved");
    if (request.workload.empty()) {
        add("step times", "alike",
            "assumed: every step is timed with mean page counts, so its percentiles coincide");
        return;
    }
    add_serving_assumptions(request.workload, request.serving, result);
    if (policy.selects_pages()) {
        add("page counts", "shares of a request's pages",
            "assumed: those of a sample of the workload's prompts hold for all of its steps; the "
            "pool's share is that of the next larger batch of 1, 2, 3, 4, 6, 8, 12, ...");
    }
    add("allocation", "in pages", "assumed: on GPUs and on memory devices alike");
}

}  // namespace

void add_score_assumptions(const SimulationRequest& request, SimulationResult& result) {
    const SelectionOptions& options = request.selection;
    if (options.scores == "random-keys") {
        result.assumptions.push_back({"scores", options.scores,
                                      "assumed: keys at random, queries normal and independent "
                                      "from step to step"});
        return;
    }
    if (options.scores != "synthetic") {
        result.assumptions.push_back(
            {"scores", options.scores, "recorded from a real model; sampled pairs and steps only"});
        return;
    }
    for (const kv::SyntheticParameter& parameter : kv::synthetic_parameters()) {
        result.assumptions.push_back({"scores." + std::string(parameter.name),
                                      fmt::format("{}", options.synthetic.*parameter.member),
                                      std::string(parameter.source)});
    }
}

void add_assumptions(const SimulationRequest& request, const Policy& policy, const DecodeJob& job,
                     const ConstantReader& constants, SimulationResult& result) {
    const auto add = [&](std::string key, std::string value, std::string source) {
        result.assumptions.push_back({std::move(key), std::move(value), std::move(source)});
    };
    if (policy.selects_pages()) {
        if (!request.budget_tokens) {
            add("budget", result.budget_tokens ? format_tokens(*result.budget_tokens) : "",
                "assumed: a quarter of the context; the budget is not stated by Kim et al.");
        }
        if (selecting_layers(job.model, job.format) > 0) add_score_assumptions(request, result);
    }
    add_structure(policy, request, result);
    const int kv_bits = kv::bits(job.format.value_type);
    if (kv_bits < 16) {
        add("kv-type", kv::value_type_names()[static_cast<std::size_t>(job.format.value_type)],
            "assumed: scales are not counted and values widen to FP16 at no cost");
    }
    if (job.context_tokens > job.model.window_tokens) {
        add("context", format_tokens(job.context_tokens),
            fmt::format("assumed: runs beyond the window of {} tokens that {} was trained for",
                        format_tokens(job.model.window_tokens), job.model.name));
    }
    result.constants = constants.used();
    // What the user has set, then what nobody has measured: constants that are assumed, and those
    // that were inferred or derived from what a source states.
    const auto add_constants = [&](std::string_view beginning) {
        for (const Constant& constant : result.constants) {
            if (!constant.source.starts_with(beginning)) continue;
            add(constant.path, constant.text, constant.source);
        }
    };
    for (const char* beginning : {"--set", "assumed", "inferred", "derived"}) {
        add_constants(beginning);
    }
}

}  // namespace memside
