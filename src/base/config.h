// A YAML document as a plain tree that remembers the line of every node, so that a message can say
// "systems/x.yaml:12". Scalars stay text: their reader knows the type and the unit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside {

struct ConfigField;

struct ConfigNode {
    enum class Kind { null, scalar, list, map };

    Kind kind = Kind::null;
    std::string scalar;               // kind == scalar
    std::vector<ConfigNode> items;    // kind == list
    std::vector<ConfigField> fields;  // kind == map, in document order
    std::string file;
    int line = 0;  // 1-based

    bool is_map() const { return kind == Kind::map; }
    bool is_scalar() const { return kind == Kind::scalar; }
    bool is_list() const { return kind == Kind::list; }

    // "systems/x.yaml:12"
    std::string where() const;

    // The field of that name, or nullptr. The node must be a map.
    const ConfigNode* find(std::string_view key) const;
};

// One `key: value` of a map. A std::pair here would have to be complete before ConfigNode is.
struct ConfigField {
    std::string key;
    ConfigNode node;
};

// Parses one YAML document. `file` is the name for messages. Syntax errors, duplicate keys, keys
// that are not plain text, aliases, several documents, more than 64 levels and more than 100,000
// nodes are bad input.
Result<ConfigNode> parse_config(std::string_view text, const std::string& file);

// Reads and parses a file of at most 1 MiB.
Result<ConfigNode> read_config(const std::string& path);

// bad_input unless `node` is a map whose keys are all among `allowed`; names the nearest key.
Status expect_keys(const ConfigNode& node, const std::vector<std::string>& allowed);

// The text of a required scalar field.
Result<std::string> required_text(const ConfigNode& map, std::string_view key);

}  // namespace memside
