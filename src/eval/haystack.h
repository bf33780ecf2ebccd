// Real text as tokens, to plant needles in or to read on from.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/decoder.h"
#include "engine/tokenizer.h"

namespace memside::eval {

class Haystack {
  public:
    Haystack(const engine::Tokenizer& tokenizer, std::string_view text);
    // For tests: `ends` says which tokens end a sentence.
    Haystack(std::vector<engine::TokenId> tokens, std::vector<bool> ends);

    std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
    std::span<const engine::TokenId> tokens() const { return tokens_; }

    // The first token after the last end of a sentence in tokens (first, limit], at most
    // `sentence_tokens` back; `limit` itself when there is none.
    std::int64_t sentence_start(std::int64_t first, std::int64_t limit) const;

  private:
    std::vector<engine::TokenId> tokens_;
    std::vector<bool> ends_;  // of each token: a sentence ends with it
};

// How far a place may move to the beginning of a sentence.
inline constexpr std::int64_t sentence_tokens = 64;

}  // namespace memside::eval
