#include "kv/drop_out.h"

#include "kv/selection_run.h"

namespace memside::kv {

Result<double> measure_drop_out(const ScoreSource& source, const DropOutOptions& options) {
    SelectionRunOptions run;
    run.requests = options.pairs;
    run.budget_pages = options.budget_pages;
    run.pinned = options.pinned;
    run.steps = options.steps;
    run.sample_pairs = 0;
    run.threads = options.threads;
    MEMSIDE_TRY(const SelectionRunResult result, run_selection(source, run));
    return result.drop_out_rate();
}

Result<double> drift_for_drop_out(double wanted, SyntheticParameters parameters,
                                  const SyntheticShape& shape, std::uint64_t seed,
                                  const DropOutOptions& options, const std::string& where) {
    const auto rate_at = [&](double drift) {
        parameters.drift = drift;
        return measure_drop_out(*make_synthetic_scores(parameters, shape, seed), options);
    };
    MEMSIDE_TRY(const double least, rate_at(0.0));
    MEMSIDE_TRY(const double most, rate_at(1.0));
    if (!(wanted >= least && wanted <= most)) {
        return bad_input(where, fmt::format("no drift gives a drop-out rate of {}; allowed here: "
                                            "{:.4f} to {:.4f}",
                                            wanted, least, most));
    }
    // The noise of every drift is the same, scaled: the rate hardly wavers as the drift rises.
    double low = 0.0;
    double high = 1.0;
    while (high - low > 1e-6) {
        const double middle = 0.5 * (low + high);
        MEMSIDE_TRY(const double rate, rate_at(middle));
        (rate < wanted ? low : high) = middle;
    }
    return 0.5 * (low + high);
}

}  // namespace memside::kv
