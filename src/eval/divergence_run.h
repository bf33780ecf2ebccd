// How far selecting policies are from dense over real text, step by step.
//
// A passage is prefilled once, dense. The tokens after it are then given one at a time, whatever
// the model would say, under dense and under every policy; the distributions over the next token
// are compared at each. Keys and values that a step adds are those of its policy, as in real
// decoding. The sequence goes back to the passage after each policy.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "eval/attention_mass.h"
#include "eval/haystack.h"
#include "eval/read_cost.h"

namespace memside::eval {

struct DivergenceSetup {
    std::vector<std::int64_t> contexts;  // tokens, ascending; the last step's token is the last
    std::int64_t steps = 128;            // of a passage and context
    std::int64_t passages = 1;           // pieces of the text
    std::uint64_t seed = 1;
};

// The steps of a policy in one context of one passage.
struct DivergenceSample {
    std::size_t policy = 0;   // 0: dense once more, else 1 + the index into the policies
    std::size_t context = 0;  // index into the setup's contexts
    std::int64_t passage = 0;
    std::vector<double> kl;       // KL(dense || policy) in nats, of each step
    std::int64_t agreed = 0;      // steps at which the likeliest token is that of dense
    double surprise = 0.0;        // of the text's own next token, nats, summed over steps
    double dense_surprise = 0.0;  // the same of dense
    // Of the attention of its own steps, 0 for dense.
    MassMeans mass;
    ReadCost cost;
};

struct DivergenceRun {
    const DivergenceSetup& setup;
    const engine::Tokenizer& tokenizer;
    const Haystack& haystack;
    std::vector<engine::KvPolicy> policies;  // that select
    // Hears how many of the passage's tokens are in and how many samples are done, of how many; may
    // be empty.
    std::function<void(std::int64_t tokens, std::int64_t samples, std::int64_t of)> progress;
};

// bad_input that names the option: contexts not ascending or not longer than the steps, a text with
// fewer tokens than the longest context.
Status check_setup(const DivergenceSetup& setup, const Haystack& haystack);

// Dense for every context, each policy for those longer than its budget. The setup passes
// check_setup(); the decoder's capacity is that of the longest context, its rewind_tokens at least
// the steps; what it held is forgotten.
Result<std::vector<DivergenceSample>> run_passage(const DivergenceRun& run, std::int64_t passage,
                                                  engine::Decoder& decoder);

// What the samples of a policy and context add up to.
struct DivergenceTotal {
    std::size_t policy = 0;
    std::size_t context = 0;
    std::int64_t steps = 0;
    double kl_mean = 0.0;
    // Nearest rank: the smallest value that this share of the steps do not exceed.
    double kl_p50 = 0.0;
    double kl_p95 = 0.0;
    double kl_p99 = 0.0;
    double kl_max = 0.0;
    double top1_agreement = 0.0;  // a share
    double surprise = 0.0;        // nats a token, means
    double dense_surprise = 0.0;
    MassMeans mass;  // the mean over samples
    ReadCost cost;
};

// By policy, then context.
std::vector<DivergenceTotal> add_up(const std::vector<DivergenceSample>& samples);

}  // namespace memside::eval
