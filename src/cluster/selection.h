// Page selection of a simulated step: kv/ run on the scores of a sample of (request, layer) pairs.
// The numbers of pages that a step touches come from here, never from a formula.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "cluster/result.h"
#include "kv/layout.h"
#include "kv/residency.h"
#include "kv/scores_synthetic.h"
#include "kv/selection.h"
#include "kv/selection_run.h"
#include "model/model_spec.h"

namespace memside {

// How the user wants selection to be run.
struct SelectionOptions {
    std::string scores = "synthetic";  // or "random-keys", or the path of a recorded file
    kv::SyntheticParameters synthetic;
    kv::PinnedPages pinned;
    std::int64_t steps = 8;
    std::int64_t warmup_steps = 2;
    std::int64_t sample_pairs = 8;  // 0: all
    unsigned threads = 0;           // 0: all cores; never changes the result

    SelectionOptions with_one_pair() const {
        SelectionOptions one = *this;
        one.sample_pairs = 1;
        return one;
    }
};

// What a policy's residency asks of the run.
struct ResidencySetup {
    std::string_view variant = "none";  // of kv::residency_variants()
    std::int64_t pool_pages = 0;        // per request and layer
    bool pool_keeps_pages = true;       // false when micro-batches share the pool
};

// One pair or several of alike requests: kv::run_selection on the source of that context.
Result<kv::SelectionRunResult> select_pages(const ModelSpec& model, const kv::PageFormat& format,
                                            std::int64_t context_tokens, std::int64_t budget_tokens,
                                            std::int64_t requests, const SelectionOptions& options,
                                            const ResidencySetup& residency, std::uint64_t seed);

// The same for one request whose KV heads each have a page set: pairs of layer and KV head are
// sampled. Recorded scores are those of whole layers, and bad input here.
Result<kv::SelectionRunResult> select_pages_of_heads(
    const ModelSpec& model, const kv::PageFormat& format, std::int64_t context_tokens,
    std::int64_t budget_tokens, const SelectionOptions& options, const ResidencySetup& residency,
    std::uint64_t seed);

// The page sets themselves of a sample of pairs of layer and KV head of one request, at the step
// after its context: `sample_pairs` of them, at least one.
Result<std::vector<kv::PageList>> page_sets_of_heads(
    const ModelSpec& model, const kv::PageFormat& format, std::int64_t context_tokens,
    std::int64_t budget_tokens, const SelectionOptions& options, std::uint64_t seed);

// Layers whose pages are selected; 0 when every layer attends all it keeps.
int selecting_layers(const ModelSpec& model, const kv::PageFormat& format);

}  // namespace memside
