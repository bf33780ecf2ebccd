// Pre-tokenizers of byte-level BPE: the pieces of a text across which nothing merges. The files
// name them; what each does is a regular expression of its model, matched here by hand.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace memside::engine {

struct PreTokenizer {
    // One pass over a text: where the piece that begins at character `first` ends, at most `last`.
    class Characters;
    using Step = std::size_t (*)(const Characters& text, std::size_t first, std::size_t last);

    std::vector<std::string_view> names;  // as tokenizer.ggml.pre has them
    std::vector<Step> steps;              // each cuts up the pieces of the one before
    bool whole_piece_first = false;       // a piece that is a token is not merged together

    // The offsets at which the pieces of `text` end. They cover it.
    std::vector<std::size_t> piece_ends(std::string_view text) const;
};

// All of them, in a fixed order.
std::span<const PreTokenizer> pre_tokenizers();

}  // namespace memside::engine
