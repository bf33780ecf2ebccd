// The tokens of the pieces of text that were met before: words come back.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace memside::engine {

// One per text, so that encoders stay free of shared state.
class PieceMemo {
  public:
    // Appends to `tokens` what encode(piece, tokens) appends, which is called the first time.
    template <typename Encode>
    void append(std::string_view piece, const Encode& encode, std::vector<std::int32_t>& tokens) {
        if (piece.size() > longest_piece) return encode(piece, tokens);
        const auto found = known_.find(piece);
        if (found != known_.end()) {
            const auto first = all_.begin() + static_cast<std::ptrdiff_t>(found->second.first);
            tokens.insert(tokens.end(), first,
                          first + static_cast<std::ptrdiff_t>(found->second.count));
            return;
        }
        const std::size_t before = tokens.size();
        encode(piece, tokens);
        if (known_.size() >= most_pieces) return;
        known_.emplace(piece, Run{all_.size(), tokens.size() - before});
        all_.insert(all_.end(), tokens.begin() + static_cast<std::ptrdiff_t>(before), tokens.end());
    }

  private:
    // Longer ones hardly come back; and 2^17 words are more than a book has.
    static constexpr std::size_t longest_piece = 64;
    static constexpr std::size_t most_pieces = std::size_t{1} << 17;

    struct Run {  // of all_
        std::size_t first;
        std::size_t count;
    };
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    std::unordered_map<std::string, Run, Hash, std::equal_to<>> known_;
    std::vector<std::int32_t> all_;
};

}  // namespace memside::engine
