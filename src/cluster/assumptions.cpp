#include "cluster/assumptions.h"

#include "base/number.h"

namespace memside {
namespace {

void add_score_assumptions(const SimulationRequest& request, SimulationResult& result) {
    const SelectionOptions& options = request.selection;
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

}  // namespace

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
        add_score_assumptions(request, result);
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

}  // namespace memside
