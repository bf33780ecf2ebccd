#include "cluster/selection.h"

#include "kv/scores_recorded.h"

namespace memside {
namespace {

Result<std::unique_ptr<kv::ScoreSource>> open_source(const SelectionOptions& options,
                                                     std::int64_t context_tokens,
                                                     std::int64_t page_tokens, std::uint64_t seed) {
    if (options.scores == "synthetic") {
        return kv::make_synthetic_scores(options.synthetic, {context_tokens, page_tokens}, seed);
    }
    MEMSIDE_TRY(std::unique_ptr<kv::RecordedScores> recorded, kv::read_scores(options.scores));
    const kv::ScoreExtent extent = recorded->extent();
    if (extent.page_tokens != page_tokens || extent.context_tokens != context_tokens) {
        return bad_input(options.scores,
                         fmt::format("was recorded at a context of {} with pages of {} tokens; "
                                     "--context {} --page-size {} fit it",
                                     extent.context_tokens, extent.page_tokens,
                                     extent.context_tokens, extent.page_tokens));
    }
    return std::unique_ptr<kv::ScoreSource>(std::move(recorded));
}

}  // namespace

int selecting_layers(const ModelSpec& model, const kv::PageFormat& format) {
    int count = 0;
    for (int layer = 0; layer < model.layers; ++layer) {
        if (kv::selects(model, format, layer)) ++count;
    }
    return count;
}

Result<kv::SelectionRunResult> select_pages(const ModelSpec& model, const kv::PageFormat& format,
                                            std::int64_t context_tokens, std::int64_t budget_tokens,
                                            std::int64_t requests, const SelectionOptions& options,
                                            const ResidencySetup& residency, std::uint64_t seed) {
    MEMSIDE_CHECK(kv::check_budget(budget_tokens, format.page_tokens, options.pinned, "--budget"));
    MEMSIDE_TRY(const std::unique_ptr<kv::ScoreSource> source,
                open_source(options, context_tokens, format.page_tokens, seed));
    kv::SelectionRunOptions run;
    run.requests = requests;
    run.layers = selecting_layers(model, format);
    run.budget_pages = kv::page_count(budget_tokens, format.page_tokens);
    run.pinned = options.pinned;
    run.residency = &kv::residency_variant(residency.variant);
    run.pool_pages = residency.pool_pages;
    run.pool_keeps_pages = residency.pool_keeps_pages;
    run.steps = options.steps;
    run.warmup_steps = options.warmup_steps;
    run.sample_pairs = options.sample_pairs;
    run.seed = seed;
    run.threads = options.threads;
    return kv::run_selection(*source, run);
}

}  // namespace memside
