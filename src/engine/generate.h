// Text from a model: a prompt in, tokens out until a limit, an end token or a stop string.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decoder.h"
#include "engine/sampler.h"
#include "engine/tokenizer.h"

namespace memside::engine {

struct GenerateOptions {
    std::int64_t max_tokens = 0;
    // Of the prompt, so many tokens at its end are fed one at a time, as decode steps under the
    // policy: at most all but one.
    std::int64_t prompt_steps = 0;
    SamplerOptions sampler;
    std::vector<std::string> stops;         // none empty
    std::function<void(std::int64_t)> fed;  // hears how many prompt tokens are in, if set
};

struct Generation {
    std::string text;             // without the stop string
    std::vector<TokenId> tokens;  // an end token, which is not shown, included
    double prefill_s = 0.0;       // the prompt but its steps, until the first token is known
    double decode_s = 0.0;        // the steps after that, those of the prompt included
    std::int64_t decode_steps = 0;
    StepStatistics decode;  // of those steps
};

// Feeds `prompt`, not empty, and generates. `show` gets the text as it comes, in whole UTF-8
// sequences; it returns false to stop. The decoder's capacity must hold prompt and max_tokens.
// Errors are those of Decoder::feed().
Result<Generation> generate(Decoder& decoder, const Tokenizer& tokenizer,
                            std::span<const TokenId> prompt, const GenerateOptions& options,
                            const std::function<bool(std::string_view)>& show);

}  // namespace memside::engine
