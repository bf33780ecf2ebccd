// SentencePiece in its BPE form, the model "llama".
#include <bitset>
#include <unordered_set>

#include "engine/merge.h"
#include "engine/text_encoder.h"
#include "engine/unicode.h"

namespace memside::engine {
namespace {

constexpr std::string_view word_mark = "\u2581";

// Which characters stand next to each other in any token. Between two that never do, nothing
// merges: a text falls apart there into words, each on its own, with the same outcome.
class Neighbours {
  public:
    void add(std::string_view piece) {
        char32_t before = 0;
        for (std::size_t at = 0; at < piece.size();) {
            const Character character = character_at(piece, at);
            if (at > 0) add(before, character.code);
            before = character.code;
            at += character.bytes;
        }
    }

    bool contains(char32_t left, char32_t right) const {
        if (left < 128 && right < 128) return ascii_[left * 128 + right];
        return pairs_.contains(key(left, right));
    }

  private:
    static std::uint64_t key(char32_t left, char32_t right) {
        return std::uint64_t{left} << 32 | right;
    }
    void add(char32_t left, char32_t right) {
        if (left < 128 && right < 128) {
            ascii_[left * 128 + right] = true;
        } else {
            pairs_.insert(key(left, right));
        }
    }

    std::bitset<128 * 128> ascii_;
    std::unordered_set<std::uint64_t> pairs_;
};

class SentencePieceEncoder : public TextEncoder {
  public:
    explicit SentencePieceEncoder(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
        for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
            if (merges_to(id)) neighbours_.add(vocabulary.name(id));
        }
    }

    void encode(std::string_view text, bool begins, PieceMemo& memo,
                std::vector<std::int32_t>& tokens) const override {
        if (text.empty()) return;
        std::string marked;
        marked.reserve(text.size() + text.size() / 2);
        if (begins && vocabulary_.adds_space_prefix) marked += word_mark;
        for (const char c : text) {
            if (c == ' ') {
                marked += word_mark;
            } else {
                marked += c;
            }
        }
        const auto encode_one = [this](std::string_view word, auto& out) {
            encode_word(word, out);
        };
        std::size_t first = 0;
        char32_t before = 0;
        for (std::size_t at = 0; at < marked.size();) {
            const Character character = character_at(marked, at);
            // Offsets inside a word have 31 bits.
            const bool too_long = at - first >= std::size_t{1} << 30;
            if (at > first && (too_long || !neighbours_.contains(before, character.code))) {
                memo.append(std::string_view(marked).substr(first, at - first), encode_one, tokens);
                first = at;
            }
            before = character.code;
            at += character.bytes;
        }
        memo.append(std::string_view(marked).substr(first), encode_one, tokens);
    }

  private:
    // Control tokens, and those that stand for bytes or the unknown, never come from text.
    bool merges_to(std::int32_t id) const {
        const TokenKind kind = vocabulary_.kind(id);
        return kind == TokenKind::normal || kind == TokenKind::user_defined ||
               kind == TokenKind::unused;
    }

    std::int32_t token_of(std::string_view piece) const {
        const std::int32_t id = vocabulary_.find(piece);
        return id >= 0 && merges_to(id) ? id : -1;
    }

    void encode_word(std::string_view word, std::vector<std::int32_t>& tokens) const {
        std::vector<Symbol> symbols;
        symbols.reserve(word.size());
        for (std::size_t at = 0; at < word.size();) {
            const std::size_t bytes = character_at(word, at).bytes;
            symbols.push_back({static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(bytes),
                               token_of(word.substr(at, bytes))});
            at += bytes;
        }
        merge_symbols(symbols, [&](const Symbol& left, const Symbol& right) {
            const std::int32_t id = token_of(word.substr(left.start, left.bytes + right.bytes));
            if (id < 0) return std::optional<Merge>();
            return std::optional(Merge{-vocabulary_.score(id), id});
        });
        for (const Symbol& symbol : symbols) {
            if (symbol.bytes == 0) continue;
            if (symbol.token >= 0) {
                tokens.push_back(symbol.token);
                continue;
            }
            for (const char c : word.substr(symbol.start, symbol.bytes)) {
                tokens.push_back(vocabulary_.byte_token(static_cast<unsigned char>(c)));
            }
        }
    }

    const Vocabulary& vocabulary_;
    Neighbours neighbours_;
};

}  // namespace

std::unique_ptr<TextEncoder> make_sentence_piece_encoder(const Vocabulary& vocabulary) {
    return std::make_unique<SentencePieceEncoder>(vocabulary);
}

}  // namespace memside::engine
