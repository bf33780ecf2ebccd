#include "engine/tokenizer.h"

#include <algorithm>

#include "engine/special_tokens.h"
#include "engine/text_encoder.h"
#include "engine/unicode.h"
#include "engine/vocabulary.h"

namespace memside::engine {

Tokenizer::Tokenizer() = default;
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::make(const GgufHeader& header,
                                                   const std::string& file) {
    std::unique_ptr<Tokenizer> tokenizer(new Tokenizer);
    MEMSIDE_TRY(tokenizer->vocabulary_, Vocabulary::read(header, file));
    const Vocabulary& vocabulary = *tokenizer->vocabulary_;
    MEMSIDE_TRY(SpecialTokens special, SpecialTokens::make(vocabulary, file));
    tokenizer->special_tokens_ = std::make_unique<SpecialTokens>(std::move(special));
    if (vocabulary.model == TokenizerModel::sentence_piece) {
        tokenizer->encoder_ = make_sentence_piece_encoder(vocabulary);
    } else {
        MEMSIDE_TRY(tokenizer->encoder_, make_bpe_encoder(vocabulary, header, file));
    }
    return tokenizer;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, bool parse_special) const {
    return encode_parts(text, parse_special, {});
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text,
                                            std::span<const TextRange> literal) const {
    return encode_parts(text, true, literal);
}

std::vector<std::int32_t> Tokenizer::encode_parts(std::string_view text, bool parse_special,
                                                  std::span<const TextRange> literal) const {
    std::vector<std::int32_t> tokens;
    PieceMemo memo;
    std::size_t begin = 0;  // of the text since the last special token
    bool begins = true;
    std::size_t next_literal = 0;  // the first literal range that ends behind `at`
    for (std::size_t at = 0; at < text.size();) {
        while (next_literal < literal.size() && literal[next_literal].last <= at) ++next_literal;
        const auto allowed = [&](std::int32_t id, std::size_t bytes) {
            if (vocabulary_->kind(id) == TokenKind::user_defined) return true;
            return parse_special &&
                   (next_literal == literal.size() || literal[next_literal].first >= at + bytes);
        };
        const std::int32_t id = special_tokens_->longest_at(text, at, allowed);
        if (id < 0) {
            ++at;
            continue;
        }
        if (at > begin) {
            encoder_->encode(text.substr(begin, at - begin), begins, memo, tokens);
            begins = false;
        }
        tokens.push_back(id);
        begins = is_control(id);
        at += vocabulary_->name(id).size();
        begin = at;
    }
    if (begin < text.size()) encoder_->encode(text.substr(begin), begins, memo, tokens);
    return tokens;
}

void Tokenizer::prepend_bos(std::vector<std::int32_t>& tokens) const {
    if (!adds_bos() || bos() < 0) return;
    if (!tokens.empty() && tokens.front() == bos()) return;
    tokens.insert(tokens.begin(), bos());
}

std::string_view Tokenizer::piece(std::int32_t id) const {
    return vocabulary_->piece(id);
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
    std::string text;
    bool begins = vocabulary_->adds_space_prefix;
    for (const std::int32_t id : ids) {
        if (is_control(id)) {
            begins = vocabulary_->adds_space_prefix;
            continue;
        }
        const bool user_defined = vocabulary_->kind(id) == TokenKind::user_defined;
        std::string_view piece = vocabulary_->piece(id);
        if (begins && !user_defined && piece.starts_with(' ')) piece.remove_prefix(1);
        begins = false;
        text += piece;
    }
    return text;
}

std::int32_t Tokenizer::find(std::string_view name) const {
    return vocabulary_->find(name);
}
std::int32_t Tokenizer::vocab_size() const {
    return vocabulary_->size();
}
std::int32_t Tokenizer::bos() const {
    return vocabulary_->bos;
}
std::int32_t Tokenizer::eos() const {
    return vocabulary_->eos;
}
bool Tokenizer::adds_bos() const {
    return vocabulary_->adds_bos;
}
bool Tokenizer::is_end(std::int32_t id) const {
    return vocabulary_->is_end(id);
}

bool Tokenizer::is_control(std::int32_t id) const {
    const TokenKind kind = vocabulary_->kind(id);
    return kind == TokenKind::control || kind == TokenKind::unknown;
}

const std::string& Tokenizer::chat_template() const {
    return vocabulary_->chat_template;
}

std::string StreamDecoder::push(std::int32_t id) {
    if (tokenizer_.is_control(id)) return "";
    pending_ += tokenizer_.piece(id);
    const std::size_t whole = pending_.size() - unfinished_bytes(pending_);
    std::string ready = pending_.substr(0, whole);
    pending_.erase(0, whole);
    return ready;
}

std::string StreamDecoder::finish() {
    return std::exchange(pending_, "");
}

}  // namespace memside::engine
