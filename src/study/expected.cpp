#include "study/expected.h"

#include <charconv>
#include <cmath>
#include <map>

#include "base/text.h"

namespace memside {
namespace {

std::optional<double> as_number(const std::string& text) {
    double value = 0.0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

std::vector<std::string> key_of(const std::vector<std::string>& row, std::size_t keys) {
    return {row.begin(), row.begin() + static_cast<std::ptrdiff_t>(std::min(keys, row.size()))};
}

std::string describe(const CsvTable& table, const std::vector<std::string>& key) {
    std::vector<std::string> parts;
    for (std::size_t k = 0; k < key.size(); ++k) {
        parts.push_back(fmt::format("{} {}", table.heads[k], key[k]));
    }
    return join(parts, ", ");
}

// What is wrong with a cell, or "".
std::string difference(const std::string& ours, const std::string& expected, double relative) {
    if (ours == expected) return "";
    const std::optional<double> a = as_number(ours);
    const std::optional<double> b = as_number(expected);
    if (!a || !b) return fmt::format("is {}, expected {}", in_quotes(ours), in_quotes(expected));
    if (std::abs(*a - *b) <= relative * std::abs(*b)) return "";
    const std::string off =
        *b == 0.0 ? "" : fmt::format(", {:+.3g} % off", (*a - *b) / std::abs(*b) * 100.0);
    return fmt::format("is {}, expected {}{}", ours, expected, off);
}

}  // namespace

std::vector<std::string> differences(const CsvTable& ours, const CsvTable& expected,
                                     std::size_t keys, double relative, bool whole) {
    if (ours.heads != expected.heads) {
        return {fmt::format("the columns are {}, expected {}", join(ours.heads, ","),
                            join(expected.heads, ","))};
    }
    std::map<std::vector<std::string>, std::size_t> by_key;
    for (std::size_t r = 0; r < expected.rows.size(); ++r) {
        by_key.emplace(key_of(expected.rows[r], keys), r);
    }
    std::vector<std::string> found;
    std::size_t matched = 0;
    for (const std::vector<std::string>& row : ours.rows) {
        const std::vector<std::string> key = key_of(row, keys);
        const auto at = by_key.find(key);
        if (at == by_key.end()) {
            found.push_back(describe(ours, key) + ": is not expected");
            continue;
        }
        ++matched;
        for (std::size_t c = keys; c < row.size(); ++c) {
            const std::string what = difference(row[c], expected.rows[at->second][c], relative);
            if (what.empty()) continue;
            found.push_back(fmt::format("{}: {} {}", describe(ours, key), ours.heads[c], what));
        }
    }
    if (whole && matched < expected.rows.size()) {
        found.push_back(fmt::format("{} of {} expected rows are missing",
                                    expected.rows.size() - matched, expected.rows.size()));
    }
    return found;
}

}  // namespace memside
