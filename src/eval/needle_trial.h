// One trial of the needle evaluation: real text with facts ("needles") planted in it, and the
// questions about them.
//
// One prefill serves every context: a trial's text is as long as the longest one, a shorter context
// is the beginning of it, and so its needles are there too. Every needle has a key of its own; to
// the question about one of them the others are distractors.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/haystack.h"

namespace memside::eval {

// {key} stands for a word, {value} for another one or a number. The defaults are of those that were
// tried the ones that Gemma 3 270M, a base model, answers in the longest contexts, dense.
struct NeedleWording {
    std::string needle = "The magic words are {key} {value}.";
    // Asked after the text, behind an empty line. Its answer begins with a blank and the value.
    std::string question = "The magic words are {key}";
    // Of a value that is a number; 0: values are words, none of them a key of the trial.
    std::int64_t value_digits = 0;
};

struct NeedleSetup {
    std::vector<std::int64_t> contexts;  // tokens, ascending
    std::vector<double> depths;          // of a needle in its context, 0 to 1, ascending
    NeedleWording wording;
    std::int64_t first_trial = 0;
    std::int64_t trials = 10;  // first_trial and those after it
    std::uint64_t seed = 1;
};

struct Needle {
    std::int64_t position = 0;  // of its first token
    std::int64_t tokens = 0;
    std::string key;
    std::string value;
};

struct NeedleQuestion {
    std::size_t context = 0;  // index into the setup's contexts
    std::size_t depth = 0;    // index into its depths
    std::size_t needle = 0;   // index into the trial's needles
};

struct NeedleTrial {
    std::vector<engine::TokenId> tokens;    // BOS, text and needles of the longest context
    std::vector<Needle> needles;            // in the order of the text
    std::vector<NeedleQuestion> questions;  // context by context, every depth
    std::vector<std::int64_t> text_tokens;  // per context: how many of `tokens` it has
};

// Tokens at the end of a context that are kept for question and answer, whatever the key. A context
// counts them: it is what the model has seen when it has answered.
std::int64_t reserved_tokens(const engine::Tokenizer& tokenizer, const NeedleWording& wording);

// The tokens of the question about a key.
std::vector<engine::TokenId> question_tokens(const engine::Tokenizer& tokenizer,
                                             const NeedleWording& wording, const std::string& key);

// bad_input that names the option: lists not ascending, depths that are no shares, a wording
// without its placeholders, contexts without room for their needles, more needles than there are
// keys.
Status check_setup(const NeedleSetup& setup, const engine::Tokenizer& tokenizer);

// The trial of this number, a function of the setup and the text alone. A needle lies at the
// beginning of a sentence, up to sentence_tokens before its place; two whose places are within
// twice that are one. bad_input when the text is shorter than the longest context.
Result<NeedleTrial> make_trial(const NeedleSetup& setup, const engine::Tokenizer& tokenizer,
                               const Haystack& haystack, std::int64_t trial);

// What a generated text says about a value: right when it begins with it (blanks aside) and no
// letter or digit follows, open while more text could still make it right.
enum class Verdict { wrong, open, right };
Verdict judge(std::string_view text, std::string_view value);

}  // namespace memside::eval
