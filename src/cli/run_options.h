// The options of memside run: those that are there, and those that are promised and refused.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/options.h"
#include "cli/saved_run.h"
#include "engine/decoder.h"
#include "engine/generate.h"

namespace memside::cli {

struct RunRequest {
    std::string model;
    std::optional<std::string> prompt;          // none: that of the saved sequence
    std::optional<std::int64_t> prompt_tokens;  // so many are kept of it
    bool chat = false;  // the prompt is what a user says, in the model's chat form
    std::optional<std::string> system_prompt;  // of a chat
    std::optional<std::string> record_scores;  // where page scores of decode steps go
    engine::GenerateOptions generate;
    SavedRunOptions saved;
    bool page_size_given = false;    // else that of a loaded sequence is taken
    engine::DecoderOptions decoder;  // capacity is set when the prompt's tokens are known
};

void declare_run_options(Options& options);

// bad_input for options out of range, or contradictory.
Result<RunRequest> read_run_request(const Options& options);

}  // namespace memside::cli
