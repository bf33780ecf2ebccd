// The tokens of a model, out of the tokenizer.ggml.* metadata: names, kinds, scores, special ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "model/gguf_header.h"

namespace memside::engine {

// Numbers of tokenizer.ggml.token_type.
enum class TokenKind : std::uint8_t {
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6,
};

enum class TokenizerModel {
    byte_level_bpe,  // "gpt2"
    sentence_piece,  // "llama"
};

class Vocabulary {
  public:
    // bad_input for missing or contradictory keys. Kinds default to normal.
    static Result<std::unique_ptr<Vocabulary>> read(const GgufHeader& header,
                                                    const std::string& file);
    Vocabulary(const Vocabulary&) = delete;
    Vocabulary& operator=(const Vocabulary&) = delete;

    std::int32_t size() const { return static_cast<std::int32_t>(kinds_.size()); }

    // As the file writes it: "Ġthe" (byte-level alphabet), "▁the", "<0x0A>", "<|im_end|>".
    std::string_view name(std::int32_t id) const { return at(names_, name_ends_, id); }
    // The bytes that it stands for: " the", " the", "\n", "<|im_end|>".
    std::string_view piece(std::int32_t id) const { return at(pieces_, piece_ends_, id); }
    TokenKind kind(std::int32_t id) const { return kinds_[static_cast<std::size_t>(id)]; }
    // Of SentencePiece; the higher wins. 0 for byte-level BPE.
    float score(std::int32_t id) const {
        return scores_.empty() ? 0.0F : scores_[static_cast<std::size_t>(id)];
    }

    // The first token of that name, or -1.
    std::int32_t find(std::string_view name) const;
    // The token of a single byte: by the byte-level alphabet, or of kind `byte`; -1 when none.
    std::int32_t byte_token(unsigned char byte) const { return byte_tokens_[byte]; }

    bool is_end(std::int32_t id) const { return ends_[static_cast<std::size_t>(id)]; }

    TokenizerModel model = TokenizerModel::byte_level_bpe;
    std::string pre_tokenizer;  // tokenizer.ggml.pre; "default" when absent
    std::int32_t bos = -1;      // the ids are -1 when absent
    std::int32_t eos = -1;
    std::int32_t unknown = -1;
    bool adds_bos = false;
    bool adds_space_prefix = false;  // SentencePiece: a text begins like a word
    std::string chat_template;

  private:
    friend class VocabularyReader;
    Vocabulary() = default;
    static std::string_view at(const std::string& pool, const std::vector<std::uint32_t>& ends,
                               std::int32_t id) {
        const auto index = static_cast<std::size_t>(id);
        const std::uint32_t first = index == 0 ? 0 : ends[index - 1];
        return std::string_view(pool).substr(first, ends[index] - first);
    }

    // All names, and all pieces, one after the other.
    std::string names_;
    std::string pieces_;
    std::vector<std::uint32_t> name_ends_;
    std::vector<std::uint32_t> piece_ends_;
    std::vector<TokenKind> kinds_;
    std::vector<float> scores_;
    std::vector<bool> ends_;
    std::vector<std::int32_t> byte_tokens_ = std::vector<std::int32_t>(256, -1);
    std::unordered_map<std::string_view, std::int32_t> by_name_;  // into names_
};

}  // namespace memside::engine
