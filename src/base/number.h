// Numbers as users type them: plain integers with a range, and token counts such as 128K.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace memside {

// Parses a decimal integer in [low, high]. `where` names the option or the file position; the
// message says the allowed range.
Result<std::int64_t> parse_integer(std::string_view text, std::int64_t low, std::int64_t high,
                                   const std::string& where);

// Parses a finite decimal number, such as 0.05 or 1e-3.
Result<double> parse_number(std::string_view text, const std::string& where);

// Parses a token count: an integer, or one with the suffix K, M or G (1,024 and its powers).
// Allowed: 1 to `max_tokens`.
inline constexpr std::int64_t max_tokens = std::int64_t{1} << 30;
Result<std::int64_t> parse_tokens(std::string_view text, const std::string& where);

// Parses a number of bytes: an integer, or one with the suffix KiB, MiB, GiB or TiB, or K, M, G or
// T for the same powers of two. Allowed: 1 to `max_bytes`.
inline constexpr std::int64_t max_bytes = std::int64_t{1} << 50;
Result<std::int64_t> parse_bytes(std::string_view text, const std::string& where);

// 131072 -> "128K", 1048576 -> "1M", 100 -> "100": the shortest exact form.
std::string format_tokens(std::int64_t tokens);

// 42949672960 -> "40 GiB", 1536 -> "1.5 KiB": up to three decimals, trailing zeros cut.
std::string format_bytes(double bytes);

// 0.0123 -> "12.3 ms": three significant digits, the unit from ns to s; whole seconds from 1,000 s.
std::string format_seconds(double seconds);

}  // namespace memside
