#include "eval/haystack.h"

#include <cassert>

namespace memside::eval {
namespace {

bool ends_sentence(std::string_view piece) {
    while (!piece.empty() && (piece.back() == '\n' || piece.back() == ' ')) piece.remove_suffix(1);
    return !piece.empty() && std::string_view(".?!").find(piece.back()) != std::string_view::npos;
}

}  // namespace

Haystack::Haystack(const engine::Tokenizer& tokenizer, std::string_view text)
    : tokens_(tokenizer.encode(text, false)) {
    ends_.reserve(tokens_.size());
    for (const engine::TokenId token : tokens_) {
        ends_.push_back(ends_sentence(tokenizer.piece(token)));
    }
}

Haystack::Haystack(std::vector<engine::TokenId> tokens, std::vector<bool> ends)
    : tokens_(std::move(tokens)), ends_(std::move(ends)) {
    assert(tokens_.size() == ends_.size());
}

std::int64_t Haystack::sentence_start(std::int64_t first, std::int64_t limit) const {
    assert(first <= limit && limit <= size());
    const std::int64_t lowest = std::max(first, limit - sentence_tokens);
    for (std::int64_t at = limit; at > lowest; --at) {
        if (ends_[static_cast<std::size_t>(at - 1)]) return at;
    }
    return limit;
}

}  // namespace memside::eval
