#include "cluster/selection.h"

#include "kv/scores_random_keys.h"
#include "kv/scores_recorded.h"

namespace memside {
namespace {

// `kv_heads` of the model share a page set.
Result<std::unique_ptr<kv::ScoreSource>> open_source(const SelectionOptions& options,
                                                     const ModelSpec& model, int kv_heads,
                                                     const kv::PageFormat& format,
                                                     std::int64_t context_tokens,
                                                     std::uint64_t seed) {
    const std::int64_t page_tokens = format.page_tokens;
    if (options.scores == "synthetic") {
        return kv::make_synthetic_scores(options.synthetic, {context_tokens, page_tokens}, seed);
    }
    if (options.scores == "random-keys") {
        return kv::make_random_key_scores(
            {context_tokens, page_tokens, kv_heads, model.group_size(), model.head_dim,
             format.digest_kind, format.value_type},
            seed);
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

namespace {

kv::SelectionRunOptions run_options(std::int64_t requests, std::int64_t layers,
                                    std::int64_t budget_pages, const SelectionOptions& options,
                                    const ResidencySetup& residency, std::uint64_t seed) {
    kv::SelectionRunOptions run;
    run.requests = requests;
    run.layers = layers;
    run.budget_pages = budget_pages;
    run.pinned = options.pinned;
    run.residency = &kv::residency_variant(residency.variant);
    run.pool_pages = residency.pool_pages;
    run.pool_keeps_pages = residency.pool_keeps_pages;
    run.steps = options.steps;
    run.warmup_steps = options.warmup_steps;
    run.sample_pairs = options.sample_pairs;
    run.seed = seed;
    run.threads = options.threads;
    return run;
}

}  // namespace

Result<kv::SelectionRunResult> select_pages(const ModelSpec& model, const kv::PageFormat& format,
                                            std::int64_t context_tokens, std::int64_t budget_tokens,
                                            std::int64_t requests, const SelectionOptions& options,
                                            const ResidencySetup& residency, std::uint64_t seed) {
    MEMSIDE_CHECK(kv::check_budget(budget_tokens, format.page_tokens, options.pinned, "--budget"));
    MEMSIDE_TRY(const std::unique_ptr<kv::ScoreSource> source,
                open_source(options, model, model.kv_heads, format, context_tokens, seed));
    return kv::run_selection(*source, run_options(requests, selecting_layers(model, format),
                                                  kv::page_count(budget_tokens, format.page_tokens),
                                                  options, residency, seed));
}

Result<kv::SelectionRunResult> select_pages_of_heads(
    const ModelSpec& model, const kv::PageFormat& format, std::int64_t context_tokens,
    std::int64_t budget_tokens, const SelectionOptions& options, const ResidencySetup& residency,
    std::uint64_t seed) {
    if (options.scores != "synthetic" && options.scores != "random-keys") {
        return bad_input("--scores",
                         "recorded scores are those of whole layers, and a cpu selects per KV "
                         "head; allowed: synthetic, random-keys");
    }
    MEMSIDE_CHECK(kv::check_budget(budget_tokens, format.page_tokens, options.pinned, "--budget"));
    MEMSIDE_TRY(const std::unique_ptr<kv::ScoreSource> source,
                open_source(options, model, 1, format, context_tokens, seed));
    return kv::run_selection(
        *source,
        run_options(1, std::int64_t{selecting_layers(model, format)} * model.kv_heads,
                    kv::page_count(budget_tokens, format.page_tokens), options, residency, seed));
}

Result<std::vector<kv::PageList>> page_sets_of_heads(
    const ModelSpec& model, const kv::PageFormat& format, std::int64_t context_tokens,
    std::int64_t budget_tokens, const SelectionOptions& options, std::uint64_t seed) {
    if (options.scores != "synthetic" && options.scores != "random-keys") {
        return bad_input("--scores",
                         "recorded scores are those of whole layers, and DRAM-PIM selects per KV "
                         "head; allowed: synthetic, random-keys");
    }
    MEMSIDE_CHECK(kv::check_budget(budget_tokens, format.page_tokens, options.pinned, "--budget"));
    MEMSIDE_TRY(const std::unique_ptr<kv::ScoreSource> source,
                open_source(options, model, 1, format, context_tokens, seed));
    const std::int64_t heads = std::int64_t{selecting_layers(model, format)} * model.kv_heads;
    const auto budget = kv::page_count(budget_tokens, format.page_tokens);
    std::vector<kv::PageList> sets;
    for (const std::int64_t pair : kv::draw_sample(heads, options.sample_pairs, seed)) {
        const auto stream = source->open(0, pair);
        // Step 0 is of the context, the next one has the new token.
        static_cast<void>(stream->next());
        const std::span<const float> scores = stream->next();
        std::vector<float> pinned(scores.begin(), scores.end());
        kv::pin_pages(pinned, options.pinned);
        kv::select_top_pages(pinned, budget, sets.emplace_back());
    }
    return sets;
}

}  // namespace memside
