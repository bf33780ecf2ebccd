#include "base/text.h"

#include <algorithm>

namespace memside {

int edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<int>> cost(a.size() + 1, std::vector<int>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = static_cast<int>(i + j);
                continue;
            }
            const int substitute = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitute});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    constexpr std::size_t longest_compared = 64;  // the distance is quadratic in the length
    if (word.size() > longest_compared) return "";
    // What begins like one candidate alone is short for it: "pnm" for "pnm-kv".
    std::string best;
    int longer = 0;
    for (const std::string& candidate : candidates) {
        if (word.size() < 2 || !candidate.starts_with(word)) continue;
        best = candidate;
        ++longer;
    }
    if (longer == 1) return best;
    best.clear();
    int best_distance = std::max(1, static_cast<int>(word.size()) / 3) + 1;
    for (const std::string& candidate : candidates) {
        const int distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string hint(std::string_view word, const std::vector<std::string>& candidates) {
    const std::string near = nearest(word, candidates);
    if (!near.empty()) return fmt::format("; did you mean '{}'?", near);
    return candidates.empty() ? "" : "; allowed: " + join(candidates, ", ");
}

Result<std::size_t> parse_choice(std::string_view text, const std::vector<std::string>& allowed,
                                 const std::string& where) {
    const auto found = std::find(allowed.begin(), allowed.end(), text);
    if (found != allowed.end()) return static_cast<std::size_t>(found - allowed.begin());
    const std::string near = nearest(text, allowed);
    const std::string all = "allowed: " + join(allowed, ", ");
    return bad_input(
        where, fmt::format("unknown value {}; {}", in_quotes(text),
                           near.empty() ? all : fmt::format("did you mean '{}'? ({})", near, all)));
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> pieces;
    for (std::size_t end = text.find(separator); end != std::string_view::npos;
         end = text.find(separator)) {
        pieces.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    pieces.emplace_back(text);
    return pieces;
}

std::string join(const std::vector<std::string>& items, std::string_view separator) {
    return fmt::format("{}", fmt::join(items, separator));
}

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
    }
    return out;
}

std::string in_quotes(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return fmt::format("'{}'", escaped(text));
    // Not inside a UTF-8 character: its later bytes are 10xxxxxx.
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0U) == 0x80U) --limit;
    return fmt::format("'{}...'", escaped(text.substr(0, limit)));
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace memside
