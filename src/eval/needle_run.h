// Runs trials of the needle evaluation on a model.
//
// A context is prefilled once, dense. Every question is then asked under every policy, its tokens
// and those of the answer as decode steps: the policy selects from the question's first token on,
// and the answer's first token depends on it too. That is stricter than a question inside the
// prompt, which would attend to everything. The sequence goes back to the context after each.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eval/needle_trial.h"
#include "eval/read_cost.h"

namespace memside::eval {

// An answer under a policy.
struct NeedleAnswer {
    std::size_t policy = 0;   // 0: dense, else 1 + the index into the policies
    std::size_t context = 0;  // index into the setup's contexts
    std::size_t depth = 0;    // index into its depths
    std::int64_t trial = 0;
    bool found = false;
    std::string text;  // as generated, up to where it was decided
    ReadCost cost;
};

struct NeedleRun {
    const NeedleSetup& setup;
    const engine::Tokenizer& tokenizer;
    const Haystack& haystack;
    std::vector<engine::KvPolicy> policies;  // that select
    // Hears how many of the trial's tokens are in and how many questions have been answered, of how
    // many; may be empty.
    std::function<void(std::int64_t tokens, std::int64_t asked, std::int64_t questions)> progress;
};

// All answers of one trial: dense for every question, each policy for those whose context tests its
// budget. The decoder's capacity is that of the longest context, its rewind_tokens at least
// reserved_tokens(); what it held is forgotten.
Result<std::vector<NeedleAnswer>> run_trial(const NeedleRun& run, std::int64_t trial,
                                            engine::Decoder& decoder);

}  // namespace memside::eval
