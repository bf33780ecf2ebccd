#include "base/number.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace memside {
namespace {

// An integer of at least 1 with an optional suffix, one of `suffixes`, which stand for 1,024 and
// its powers.
Result<std::int64_t> parse_scaled(std::string_view text, std::string_view suffixes,
                                  std::int64_t limit, std::string_view what,
                                  std::string_view allowed, const std::string& where,
                                  std::string_view shown = {}) {
    if (shown.empty()) shown = text;
    int shift = 0;
    std::string_view digits = text;
    if (!text.empty()) {
        if (const auto at = suffixes.find(text.back()); at != std::string_view::npos) {
            shift = 10 * (static_cast<int>(at) + 1);
            digits.remove_suffix(1);
        }
    }
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (code == std::errc::result_out_of_range) {
        return bad_input(where, fmt::format("{} is out of range; {}", in_quotes(shown), allowed));
    }
    if (code != std::errc{} || end != digits.data() + digits.size()) {
        return bad_input(where, fmt::format("{} is not {}; {}", in_quotes(shown), what, allowed));
    }
    if (value < 1 || value > (limit >> shift)) {
        return bad_input(where, fmt::format("{} is out of range; {}", in_quotes(shown), allowed));
    }
    return value << shift;
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t low, std::int64_t high,
                                   const std::string& where) {
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc::result_out_of_range ||
        (code == std::errc{} && end == text.end() && (value < low || value > high))) {
        return bad_input(where, fmt::format("{} is out of range; allowed: {} to {}",
                                            in_quotes(text), low, high));
    }
    if (code != std::errc{} || end != text.end()) {
        return bad_input(where, fmt::format("{} is not an integer; allowed: {} to {}",
                                            in_quotes(text), low, high));
    }
    return value;
}

Result<double> parse_number(std::string_view text, const std::string& where) {
    double value = 0.0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.end() || !std::isfinite(value)) {
        return bad_input(where, in_quotes(text) + " is not a number");
    }
    return value;
}

Result<std::int64_t> parse_tokens(std::string_view text, const std::string& where) {
    return parse_scaled(text, "KMG", max_tokens, "a token count",
                        "allowed: 1 to 1G tokens, such as 131072, 128K, 1M", where);
}

Result<std::int64_t> parse_bytes(std::string_view text, const std::string& where) {
    std::string_view number = text;
    if (number.ends_with("iB")) number.remove_suffix(2);
    // "iB" belongs to a letter: 5iB is no size.
    const bool bare = number.size() != text.size() &&
                      (number.empty() || (number.back() >= '0' && number.back() <= '9'));
    return parse_scaled(bare ? text : number, "KMGT", max_bytes, "a number of bytes",
                        "allowed: 1 to 1024T bytes, such as 1073741824, 512MiB, 4G", where, text);
}

std::string format_tokens(std::int64_t tokens) {
    static constexpr std::array<std::pair<int, char>, 3> suffixes{
        {{30, 'G'}, {20, 'M'}, {10, 'K'}}};
    for (const auto& [shift, suffix] : suffixes) {
        const std::int64_t unit = std::int64_t{1} << shift;
        if (tokens >= unit && tokens % unit == 0) return fmt::format("{}{}", tokens / unit, suffix);
    }
    return fmt::format("{}", tokens);
}

namespace {

// Fixed-point with up to three decimals and no trailing zeros.
std::string trimmed(double value) {
    std::string text = fmt::format("{:.3f}", value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

}  // namespace

std::string format_bytes(double bytes) {
    static constexpr std::array<const char*, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    std::size_t unit = 0;
    // From where three decimals round up to 1,024.
    while (std::abs(bytes) >= 1023.9995 && unit + 1 < units.size()) {
        bytes /= 1024.0;
        ++unit;
    }
    return fmt::format("{} {}", trimmed(bytes), units[unit]);
}

std::string format_seconds(double seconds) {
    static constexpr std::array<std::pair<double, const char*>, 4> units{
        {{1.0, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
    // Three digits have no room for 1,000 and more without an exponent.
    if (std::abs(seconds) >= 999.5) return fmt::format("{:.0f} s", seconds);
    for (const auto& [scale, name] : units) {
        // 999.7 ms rounds to 1 s.
        if (std::abs(seconds) >= 0.9995 * scale) {
            return fmt::format("{:.3g} {}", seconds / scale, name);
        }
    }
    return seconds == 0.0 ? "0 s" : fmt::format("{:.3g} ns", seconds / 1e-9);
}

}  // namespace memside
