// Small helpers for messages: what the user probably meant, and lists in sentences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside {

// Levenshtein distance with transposition of neighbours counted as one edit.
int edit_distance(std::string_view a, std::string_view b);

// The only candidate that begins with `word`, else the one nearest to it; "" when none is within a
// third of the word's length.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'x'?" when a candidate is near, else "; allowed: a, b, c".
std::string hint(std::string_view word, const std::vector<std::string>& candidates);

// The index of `text` in `allowed`; bad_input at `where` with a suggestion otherwise.
Result<std::size_t> parse_choice(std::string_view text, const std::vector<std::string>& allowed,
                                 const std::string& where);

// The pieces of `text` between the separators, empty ones included; at least one.
std::vector<std::string> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& items, std::string_view separator);

// `text` on one line: control characters as \x0a.
std::string escaped(std::string_view text);

// `text` as it may appear inside a one-line message: escaped, in quotes, and cut with an ellipsis
// at `limit` bytes.
std::string in_quotes(std::string_view text, std::size_t limit = 60);

// Strips blanks and tabs at both ends.
std::string_view trim(std::string_view text);

}  // namespace memside
