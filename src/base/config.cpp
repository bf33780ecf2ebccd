#include "base/config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "base/file.h"
#include "base/text.h"

namespace memside {
namespace {

constexpr std::size_t max_nodes = 100'000;
constexpr std::size_t max_file_bytes = std::size_t{1} << 20;

// Turns yaml-cpp's shared, lazily evaluated nodes into the plain tree.
class TreeBuilder {
  public:
    explicit TreeBuilder(const std::string& file) : file_(file) {}

    Result<ConfigNode> build(const YAML::Node& source) {
        ConfigNode node;
        node.file = file_;
        node.line = source.Mark().line + 1;
        if (++count_ > max_nodes) return bad_input(node.where(), "the document is too large");
        switch (source.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null:
                break;
            case YAML::NodeType::Scalar:
                node.kind = ConfigNode::Kind::scalar;
                node.scalar = source.Scalar();
                break;
            case YAML::NodeType::Sequence:
                node.kind = ConfigNode::Kind::list;
                for (const auto& item : source) {
                    MEMSIDE_TRY(ConfigNode child, build(item));
                    node.items.push_back(std::move(child));
                }
                break;
            case YAML::NodeType::Map:
                node.kind = ConfigNode::Kind::map;
                for (const auto& field : source) {
                    if (!field.first.IsScalar()) {
                        return bad_input(node.where(), "a key must be plain text");
                    }
                    const std::string key = field.first.Scalar();
                    MEMSIDE_TRY(ConfigNode child, build(field.second));
                    child.line = field.first.Mark().line + 1;
                    if (node.find(key) != nullptr) {
                        return bad_input(child.where(), "key " + quoted(key) + " stands twice");
                    }
                    node.fields.emplace_back(key, std::move(child));
                }
                break;
        }
        return node;
    }

  private:
    const std::string& file_;
    std::size_t count_ = 0;
};

}  // namespace

std::string ConfigNode::where() const {
    return fmt::format("{}:{}", file, line);
}

const ConfigNode* ConfigNode::find(std::string_view key) const {
    for (const auto& [name, node] : fields) {
        if (name == key) return &node;
    }
    return nullptr;
}

Result<ConfigNode> parse_config(std::string_view text, const std::string& file) {
    try {
        std::istringstream stream{std::string(text)};
        const std::vector<YAML::Node> documents = YAML::LoadAll(stream);
        if (documents.empty()) return bad_input(file, "is empty");
        if (documents.size() > 1) return bad_input(file, "holds more than one document");
        return TreeBuilder(file).build(documents.front());
    } catch (const YAML::Exception& error) {
        const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
        return bad_input(fmt::format("{}:{}", file, line), error.msg);
    }
}

Result<ConfigNode> read_config(const std::string& path) {
    MEMSIDE_TRY(const std::string text, read_file(path, max_file_bytes));
    return parse_config(text, path);
}

Status expect_keys(const ConfigNode& node, const std::vector<std::string>& allowed) {
    if (!node.is_map()) {
        return bad_input(node.where(), "expected a map with the keys " + join(allowed, ", "));
    }
    for (const auto& [key, child] : node.fields) {
        if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
            return bad_input(child.where(), "unknown key " + quoted(key) + hint(key, allowed));
        }
    }
    return {};
}

Result<std::string> required_text(const ConfigNode& map, std::string_view key) {
    const ConfigNode* node = map.find(key);
    if (node == nullptr) return bad_input(map.where(), fmt::format("key '{}' is missing", key));
    if (!node->is_scalar()) return bad_input(node->where(), fmt::format("'{}' must be text", key));
    return node->scalar;
}

}  // namespace memside
