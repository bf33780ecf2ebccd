// Finds the tokens that are cut out of a text before it is tokenised: user-defined and control
// ones.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/vocabulary.h"

namespace memside::engine {

class SpecialTokens {
  public:
    // A search compares at most this many bytes at a position, so that it stays linear.
    static constexpr std::size_t max_name_bytes = 1024;

    // bad_input when a name is longer than that. The vocabulary must outlive this.
    static Result<SpecialTokens> make(const Vocabulary& vocabulary, const std::string& file);

    // The longest token at text[position] that `allowed` accepts, given its id and length; -1 when
    // there is none. Leftmost first and longest first is what SentencePiece and the tokenizers that
    // these files are converted from do.
    template <typename Allowed>
    std::int32_t longest_at(std::string_view text, std::size_t position,
                            const Allowed& allowed) const {
        std::int32_t best = -1;
        auto [low, high] = by_first_byte_[static_cast<unsigned char>(text[position])];
        // [low, high) are the names that agree with the text in their first `depth` bytes.
        for (std::size_t depth = 1; low < high; ++depth) {
            const Entry& shortest = entries_[low];
            if (shortest.name.size() == depth) {
                if (allowed(shortest.id, depth)) best = shortest.id;
                ++low;
            }
            if (position + depth >= text.size()) break;
            narrow(low, high, depth, text[position + depth]);
        }
        return best;
    }

  private:
    struct Entry {
        std::string_view name;
        std::int32_t id;
    };
    struct Range {
        std::size_t low = 0;
        std::size_t high = 0;
    };

    // Keeps the entries whose byte at `depth` is `byte`.
    void narrow(std::size_t& low, std::size_t& high, std::size_t depth, char byte) const;

    std::vector<Entry> entries_;  // sorted by name, each name once
    std::array<Range, 256> by_first_byte_;
};

}  // namespace memside::engine
