// Vocabularies as a GGUF header's metadata, for the tests of tokenizers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/tokenizer.h"

namespace memside::test {

class ToyVocabulary {
  public:
    explicit ToyVocabulary(const std::string& model) { set("ggml.model", model); }

    std::int32_t add(const std::string& name, int kind, double score = 0.0) {
        names_.push_back(name);
        kinds_.push_back(kind);
        scores_.push_back(score);
        return static_cast<std::int32_t>(names_.size()) - 1;
    }
    void add_merge(const std::string& merge) { merges_.push_back(merge); }

    template <typename T>
    void set(const std::string& key, T value) {
        header_.metadata["tokenizer." + key] = GgufValue{std::move(value)};
    }
    void remove(const std::string& key) { removed_.push_back(key); }

    GgufHeader header() const {
        GgufHeader header = header_;
        header.metadata["tokenizer.ggml.tokens"] = GgufValue{GgufArray(names_)};
        header.metadata["tokenizer.ggml.token_type"] = GgufValue{GgufArray(kinds_)};
        header.metadata["tokenizer.ggml.scores"] = GgufValue{GgufArray(scores_)};
        header.metadata["tokenizer.ggml.merges"] = GgufValue{GgufArray(merges_)};
        for (const std::string& key : removed_) header.metadata.erase("tokenizer." + key);
        return header;
    }
    Result<std::unique_ptr<engine::Tokenizer>> make() const {
        return engine::Tokenizer::make(header(), "toy.gguf");
    }

  private:
    GgufHeader header_;
    std::vector<std::string> names_;
    std::vector<std::int64_t> kinds_;
    std::vector<double> scores_;
    std::vector<std::string> merges_;
    std::vector<std::string> removed_;
};

// Token kinds as the file numbers them.
inline constexpr int normal = 1, unknown = 2, control = 3, user_defined = 4, byte_kind = 6;

// The 256 byte tokens in order of bytes, then the merges in order, each with its token.
ToyVocabulary byte_level(const std::string& pre, const std::vector<std::string>& merges);

// Unknown, BOS, EOS, the byte tokens <0x00> to <0xFF>, then `pieces` with falling scores.
ToyVocabulary sentence_piece(const std::vector<std::string>& pieces);

}  // namespace memside::test
