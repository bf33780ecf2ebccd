// The options that say how decode steps treat keys and values, of every command that runs a model.
#pragma once

#include "base/result.h"
#include "cli/options.h"
#include "engine/decoder.h"

namespace memside::cli {

// Defaults: sinks and a local window are always in, and the first layers attend everything, as
// every published system of this kind has it (docs/engine.md).
inline constexpr std::int64_t default_sink_pages = 1;
inline constexpr std::int64_t default_recent_pages = 2;
inline constexpr std::int64_t default_dense_layers = 2;
// Small pages where they are selected, and the best of the heads that share a page set, for
// answers; larger ones where all are attended, for speed (docs/quality.md).
inline constexpr std::int64_t default_selected_page_tokens = 16;
inline constexpr std::int64_t default_dense_page_tokens = 64;
inline constexpr const char* default_group_score = "max";

void declare_kv_options(Options& options);

// Reads them into page size, type and policy of `decoder`. bad_input for values out of range, and
// for options that have no meaning under the policy; with `records_scores` those that say how pages
// are scored have one under every policy.
Status read_kv_options(const Options& options, engine::DecoderOptions& decoder,
                       bool records_scores = false);

}  // namespace memside::cli
