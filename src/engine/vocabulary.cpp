#include "engine/vocabulary.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/byte_alphabet.h"

namespace memside::engine {
namespace {

// Tokens after which nothing follows in any family that uses the name. Files often mark only one
// of them as end of text, the one of the base model.
constexpr std::string_view end_names[] = {"<|eot_id|>", "<|eom_id|>",    "<|end_of_text|>",
                                          "<|im_end|>", "<|endoftext|>", "<|end|>",
                                          "<EOT>",      "<end_of_turn>", "<|end_of_turn|>"};

constexpr std::string_view word_mark = "\u2581";  // SentencePiece writes a blank like this

}  // namespace

std::int32_t Vocabulary::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? -1 : found->second;
}

// Reads one file's keys into a Vocabulary.
class VocabularyReader {
  public:
    VocabularyReader(const GgufHeader& header, const std::string& file)
        : header_(header), file_(file), vocabulary_(new Vocabulary) {}

    Result<std::unique_ptr<Vocabulary>> read() {
        MEMSIDE_CHECK(read_model());
        MEMSIDE_CHECK(read_names());
        MEMSIDE_CHECK(read_kinds());
        MEMSIDE_CHECK(read_scores());
        MEMSIDE_CHECK(make_pieces());
        MEMSIDE_CHECK(read_special());
        return std::move(vocabulary_);
    }

  private:
    Error error(std::string_view key, std::string_view problem) const {
        return bad_input(file_, fmt::format("metadata key 'tokenizer.{}' {}", key, problem));
    }

    const GgufValue* value(std::string_view key) const {
        const auto found = header_.metadata.find(fmt::format("tokenizer.{}", key));
        return found == header_.metadata.end() ? nullptr : &found->second;
    }

    // The string of a key, or `absent`.
    Result<std::string> text(std::string_view key, std::string absent) const {
        const GgufValue* found = value(key);
        if (found == nullptr) return absent;
        const auto* text = std::get_if<std::string>(&found->data);
        if (text == nullptr) return error(key, "is not a string");
        return *text;
    }

    Result<bool> flag(std::string_view key, bool absent) const {
        const GgufValue* found = value(key);
        if (found == nullptr) return absent;
        const auto* flag = std::get_if<bool>(&found->data);
        if (flag == nullptr) return error(key, "is not a boolean");
        return *flag;
    }

    // The token id of a key, or -1.
    Result<std::int32_t> id(std::string_view key) const {
        const GgufValue* found = value(key);
        if (found == nullptr) return -1;
        std::int64_t id = -1;
        if (const auto* u = std::get_if<std::uint64_t>(&found->data)) {
            // Some writers give an absent token as all ones.
            if (*u == UINT32_MAX) return -1;
            id = static_cast<std::int64_t>(*u);
        } else if (const auto* i = std::get_if<std::int64_t>(&found->data)) {
            if (*i == -1) return -1;
            id = *i;
        }
        if (id < 0 || id >= vocabulary_->size()) {
            return error(key,
                         fmt::format("is no token id; allowed: 0 to {}", vocabulary_->size() - 1));
        }
        return static_cast<std::int32_t>(id);
    }

    // The array of a key when it has elements of type T; else nullptr.
    template <typename T>
    const std::vector<T>* array(std::string_view key) const {
        const GgufValue* found = value(key);
        const auto* array = found == nullptr ? nullptr : std::get_if<GgufArray>(&found->data);
        return array == nullptr ? nullptr : std::get_if<std::vector<T>>(array);
    }

    Status check_length(std::string_view key, std::size_t count) const {
        if (count == vocabulary_->kinds_.size()) return {};
        return error(
            key, fmt::format("has {} elements for {} tokens", count, vocabulary_->kinds_.size()));
    }

    Status read_model() {
        MEMSIDE_TRY(const std::string model, text("ggml.model", ""));
        if (model == "gpt2") {
            vocabulary_->model = TokenizerModel::byte_level_bpe;
        } else if (model == "llama") {
            vocabulary_->model = TokenizerModel::sentence_piece;
        } else if (model.empty()) {
            return error("ggml.model", "is missing; supported: gpt2, llama");
        } else {
            return error("ggml.model",
                         fmt::format("is {}; supported: gpt2, llama", in_quotes(model)));
        }
        MEMSIDE_TRY(vocabulary_->pre_tokenizer, text("ggml.pre", "default"));
        MEMSIDE_TRY(vocabulary_->chat_template, text("chat_template", ""));
        return {};
    }

    Status read_names() {
        const auto* names = array<std::string>("ggml.tokens");
        if (names == nullptr) return error("ggml.tokens", "is not an array of strings");
        std::size_t bytes = 0;
        for (const std::string& name : *names) bytes += name.size();
        if (names->empty() || names->size() > INT32_MAX || bytes > UINT32_MAX) {
            return error("ggml.tokens", fmt::format("has {} tokens of {} bytes, out of range",
                                                    names->size(), bytes));
        }
        Vocabulary& v = *vocabulary_;
        v.names_.reserve(bytes);
        v.name_ends_.reserve(names->size());
        for (const std::string& name : *names) {
            v.names_ += name;
            v.name_ends_.push_back(static_cast<std::uint32_t>(v.names_.size()));
        }
        v.kinds_.assign(names->size(), TokenKind::normal);
        v.by_name_.reserve(names->size());
        for (std::int32_t id = 0; id < v.size(); ++id) v.by_name_.emplace(v.name(id), id);
        return {};
    }

    Status read_kinds() {
        constexpr std::string_view key = "ggml.token_type";
        if (value(key) == nullptr) return {};
        const auto* kinds = array<std::int64_t>(key);
        const auto* unsigned_kinds = array<std::uint64_t>(key);
        if (kinds == nullptr && unsigned_kinds == nullptr) {
            return error(key, "is not an array of integers");
        }
        const std::size_t count = kinds != nullptr ? kinds->size() : unsigned_kinds->size();
        MEMSIDE_CHECK(check_length(key, count));
        for (std::size_t i = 0; i < count; ++i) {
            const std::int64_t kind =
                kinds != nullptr
                    ? (*kinds)[i]
                    : static_cast<std::int64_t>(std::min<std::uint64_t>((*unsigned_kinds)[i], 100));
            if (kind < 1 || kind > 6) {
                return error(key, fmt::format("is {} for token {}; allowed: 1 to 6", kind, i));
            }
            vocabulary_->kinds_[i] = static_cast<TokenKind>(kind);
        }
        return {};
    }

    Status read_scores() {
        if (vocabulary_->model != TokenizerModel::sentence_piece) return {};
        constexpr std::string_view key = "ggml.scores";
        const auto* scores = array<double>(key);
        if (scores == nullptr) return error(key, "is not an array of numbers");
        MEMSIDE_CHECK(check_length(key, scores->size()));
        for (const double score : *scores) {
            if (!std::isfinite(score)) return error(key, "holds a value that is not finite");
            vocabulary_->scores_.push_back(static_cast<float>(score));
        }
        return {};
    }

    // What a byte token's name "<0x0A>" stands for, or -1.
    static int byte_of(std::string_view name) {
        if (name.size() != 6 || !name.starts_with("<0x") || name[5] != '>') return -1;
        int value = 0;
        for (const char c : name.substr(3, 2)) {
            const std::size_t digit = std::string_view("0123456789ABCDEF").find(c);
            if (digit == std::string_view::npos) return -1;
            value = value * 16 + static_cast<int>(digit);
        }
        return value;
    }

    Status make_pieces() {
        Vocabulary& v = *vocabulary_;
        const bool bpe = v.model == TokenizerModel::byte_level_bpe;
        v.pieces_.reserve(v.names_.size());
        v.piece_ends_.reserve(v.kinds_.size());
        std::string decoded;
        for (std::int32_t id = 0; id < v.size(); ++id) {
            const std::string_view name = v.name(id);
            if (v.kind(id) == TokenKind::byte) {
                const int byte = byte_of(name);
                if (byte < 0) {
                    return error("ggml.tokens", fmt::format("has the byte token {} named {}; "
                                                            "allowed: <0x00> to <0xFF>",
                                                            id, in_quotes(name)));
                }
                v.pieces_ += static_cast<char>(byte);
                v.byte_tokens_[static_cast<std::size_t>(byte)] = id;
            } else if (bpe && v.kind(id) == TokenKind::normal &&
                       from_byte_alphabet(name, decoded)) {
                v.pieces_ += decoded;
                if (decoded.size() == 1) {
                    v.byte_tokens_[static_cast<unsigned char>(decoded[0])] = id;
                }
            } else if (!bpe && v.kind(id) == TokenKind::normal) {
                append_with_blanks(name, v.pieces_);
            } else {
                v.pieces_ += name;
            }
            v.piece_ends_.push_back(static_cast<std::uint32_t>(v.pieces_.size()));
        }
        return {};
    }

    static void append_with_blanks(std::string_view name, std::string& text) {
        for (std::size_t next = 0; next < name.size();) {
            if (name.substr(next).starts_with(word_mark)) {
                text += ' ';
                next += word_mark.size();
            } else {
                text += name[next++];
            }
        }
    }

    Status read_special() {
        Vocabulary& v = *vocabulary_;
        const bool spm = v.model == TokenizerModel::sentence_piece;
        MEMSIDE_TRY(v.bos, id("ggml.bos_token_id"));
        MEMSIDE_TRY(v.eos, id("ggml.eos_token_id"));
        MEMSIDE_TRY(v.unknown, id("ggml.unknown_token_id"));
        // Absent, each model does what its own files do when they carry the key.
        const bool llama3 = v.pre_tokenizer == "llama-bpe" || v.pre_tokenizer == "llama3" ||
                            v.pre_tokenizer == "llama-v3";
        MEMSIDE_TRY(v.adds_bos, flag("ggml.add_bos_token", spm || llama3));
        MEMSIDE_TRY(v.adds_space_prefix, flag("ggml.add_space_prefix", spm));
        if (!spm) v.adds_space_prefix = false;
        for (unsigned byte = 0; byte < 256; ++byte) {
            if (v.byte_tokens_[byte] >= 0) continue;
            if (v.unknown < 0) {
                return error("ggml.tokens", fmt::format("has no token for the byte 0x{:02X}, and "
                                                        "there is no unknown token",
                                                        byte));
            }
            v.byte_tokens_[byte] = v.unknown;
        }
        v.ends_.assign(v.kinds_.size(), false);
        if (v.eos >= 0) v.ends_[static_cast<std::size_t>(v.eos)] = true;
        for (const char* key : {"ggml.eot_token_id", "ggml.eom_token_id"}) {
            MEMSIDE_TRY(const std::int32_t end, id(key));
            if (end >= 0) v.ends_[static_cast<std::size_t>(end)] = true;
        }
        for (const std::string_view name : end_names) {
            const std::int32_t end = v.find(name);
            if (end >= 0 && v.kind(end) != TokenKind::normal) {
                v.ends_[static_cast<std::size_t>(end)] = true;
            }
        }
        return {};
    }

    const GgufHeader& header_;
    const std::string& file_;
    std::unique_ptr<Vocabulary> vocabulary_;
};

Result<std::unique_ptr<Vocabulary>> Vocabulary::read(const GgufHeader& header,
                                                     const std::string& file) {
    return VocabularyReader(header, file).read();
}

}  // namespace memside::engine
