// Checked reading of one object of a config.json: every value typed, in range, and reported with
// the line on which it stands.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/json_tree.h"

namespace memside {

class HfFields {
  public:
    // `outer` is the enclosing object of a nested text_config, or nullptr: a few keys may stand in
    // either. All three arguments must outlive this object.
    HfFields(const JsonNode& object, const JsonNode* outer, const std::string& file)
        : object_(object), outer_(outer), file_(file) {}

    // The node of `key` here, else nullptr. null counts as absent.
    const JsonNode* find(std::string_view key) const { return object_.find(key); }
    // The same, looking in the enclosing object too.
    const JsonNode* find_anywhere(std::string_view key) const;

    // "config.json:12"
    std::string where(const JsonNode& node) const;
    const std::string& file() const { return file_; }

    // An integer in [1, high]. Absent: `fallback`, or an error without one. A key that is nearly
    // `key` is an error in either case, since it was probably meant.
    Result<std::int64_t> integer(std::string_view key, std::int64_t high,
                                 std::optional<std::int64_t> fallback = std::nullopt) const;

    // A boolean, looked for in the enclosing object too; misspellings as above.
    Result<bool> flag(std::string_view key, bool fallback) const;
    Result<std::string> text(std::string_view key) const;

    // "missing key 'x'", or the line of a key that is nearly it.
    Error missing(std::string_view key) const;

  private:
    // The field whose key was probably meant to be `key`, or nullptr.
    const JsonField* misspelt(std::string_view key) const;
    Error wrong_type(const JsonNode& node, std::string_view key, std::string_view allowed) const;

    const JsonNode& object_;
    const JsonNode* outer_;
    const std::string& file_;
};

}  // namespace memside
