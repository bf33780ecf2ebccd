// A JSON document as a plain tree that remembers the line of every node, so that a message about a
// value can say "config.json:12". Wrong types and numbers out of range stay visible to the reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside {

struct JsonField;

struct JsonNode {
    enum class Kind { null, boolean, integer, real, string, list, object };

    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;  // held at the int64 bounds when the number is beyond them
    std::string text;          // a string's value, or a number as written
    std::vector<JsonNode> items;
    std::vector<JsonField> fields;  // in document order
    int line = 0;                   // 1-based; of the key, for a field

    // The field of that name, or nullptr; null values count as absent.
    const JsonNode* find(std::string_view key) const;

    // "a string", "an object", ... as it stands in messages.
    std::string_view kind_name() const;
};

struct JsonField {
    std::string key;
    JsonNode value;
};

// Parses one JSON document. Syntax errors, duplicate keys, nesting deeper than 64 levels and more
// than `max_values` values are bad input, reported at `file`:line.
Result<JsonNode> parse_json_tree(std::string_view text, const std::string& file,
                                 std::size_t max_values = 100'000);

}  // namespace memside
