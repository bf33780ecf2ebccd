// What differs between tokenizer models: how text without special tokens becomes tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/piece_memo.h"
#include "engine/vocabulary.h"

namespace memside::engine {

class TextEncoder {
  public:
    virtual ~TextEncoder() = default;

    // Appends the tokens of `text`. `begins` says that it begins a text: nothing, or a control
    // token, precedes it. `memo` is for this encoder and one caller.
    virtual void encode(std::string_view text, bool begins, PieceMemo& memo,
                        std::vector<std::int32_t>& tokens) const = 0;
};

// Byte-level BPE: pieces by the pre-tokenizer, then the merge of the lowest rank first. `header`
// gives the merges; bad_input when one joins to no token or the pre-tokenizer is not supported.
// The vocabulary must outlive the encoder, here and below.
Result<std::unique_ptr<TextEncoder>> make_bpe_encoder(const Vocabulary& vocabulary,
                                                      const GgufHeader& header,
                                                      const std::string& file);

// SentencePiece: blanks as U+2581, then the neighbours that join to the token of the highest score
// first; what no token covers falls back to byte tokens.
std::unique_ptr<TextEncoder> make_sentence_piece_encoder(const Vocabulary& vocabulary);

}  // namespace memside::engine
