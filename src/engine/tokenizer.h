// Text to token ids and back, as a GGUF file's metadata describes it. Format: the tokenizer.ggml.*
// keys of the GGUF specification; "gpt2" is byte-level BPE, "llama" is SentencePiece.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/gguf_header.h"

namespace memside::engine {

class SpecialTokens;
class TextEncoder;
class Vocabulary;

// Bytes [first, last) of a text.
struct TextRange {
    std::size_t first = 0;
    std::size_t last = 0;
};

// Immutable once made; any number of threads may use one.
class Tokenizer {
  public:
    // bad_input when the keys are missing, contradict each other, or name a model or pre-tokenizer
    // that is not supported; the message lists the supported ones. `header` is not kept.
    static Result<std::unique_ptr<Tokenizer>> make(const GgufHeader& header,
                                                   const std::string& file);
    ~Tokenizer();
    Tokenizer(const Tokenizer&) = delete;
    Tokenizer& operator=(const Tokenizer&) = delete;

    // The tokens of any bytes; never adds BOS or EOS. User-defined tokens are cut out of the text
    // first, control tokens such as "<|im_end|>" only with `parse_special`: without it they are
    // text like any other. O(n log n) in the length.
    std::vector<std::int32_t> encode(std::string_view text, bool parse_special) const;

    // The same with `parse_special`, except that control tokens which touch one of the `literal`
    // ranges (ascending) are text: what a user typed inside a chat template cannot forge a turn.
    std::vector<std::int32_t> encode(std::string_view text,
                                     std::span<const TextRange> literal) const;

    // What a model expects in front of a text: BOS when adds_bos(), unless `tokens` has one there.
    void prepend_bos(std::vector<std::int32_t>& tokens) const;

    // The bytes that a token stands for, which may be part of a UTF-8 sequence; control tokens give
    // their name. Any id in [0, vocab_size()).
    std::string_view piece(std::int32_t id) const;

    // The text of a sequence: its pieces without control tokens and without the blank that encode()
    // puts in front of a text for some models. decode(encode(x)) == x with "gpt2".
    std::string decode(std::span<const std::int32_t> ids) const;

    // The id of a token by its name in the file ("<|im_end|>"), or -1.
    std::int32_t find(std::string_view name) const;

    std::int32_t vocab_size() const;
    std::int32_t bos() const;  // -1: the model has none
    std::int32_t eos() const;  // -1: the model has none
    bool adds_bos() const;
    bool is_end(std::int32_t id) const;      // generation stops here: EOS, end of turn, of message
    bool is_control(std::int32_t id) const;  // no text: not shown to a reader

    // tokenizer.chat_template; "" when the file has none.
    const std::string& chat_template() const;

  private:
    Tokenizer();
    std::vector<std::int32_t> encode_parts(std::string_view text, bool parse_special,
                                           std::span<const TextRange> literal) const;

    std::unique_ptr<Vocabulary> vocabulary_;
    std::unique_ptr<SpecialTokens> special_tokens_;
    std::unique_ptr<TextEncoder> encoder_;
};

// Text as it is generated, token by token, in whole UTF-8 sequences. Bytes that can begin no
// sequence pass as they are, so that the pieces always add up to what the tokens stand for.
class StreamDecoder {
  public:
    explicit StreamDecoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    // The text that `id` completes, "" while a sequence is unfinished. Control tokens give none.
    std::string push(std::int32_t id);

    // The unfinished rest, at the end of the stream.
    std::string finish();

  private:
    const Tokenizer& tokenizer_;
    std::string pending_;
};

}  // namespace memside::engine
