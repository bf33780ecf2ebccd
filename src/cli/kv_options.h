// The options that say how decode steps treat keys and values, of every command that runs a model.
#pragma once

#include "base/result.h"
#include "cli/options.h"
#include "engine/decoder.h"

namespace memside::cli {

void declare_kv_options(Options& options);
// Options that are promised and refused by name; last in the help.
void declare_unavailable_kv_options(Options& options);

// Reads them into page size, type and policy of `decoder`. bad_input for values out of range, and
// for options that have no meaning under the policy; with `records_scores` those that say how pages
// are scored have one under every policy.
Status read_kv_options(const Options& options, engine::DecoderOptions& decoder,
                       bool records_scores = false);

}  // namespace memside::cli
