#include "base/config.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <functional>
#include <set>
#include <sstream>

#include "base/file.h"
#include "base/text.h"

namespace memside {
namespace {

constexpr std::size_t max_nodes = 100'000;
constexpr std::size_t max_depth = 64;
constexpr std::size_t max_file_bytes = std::size_t{1} << 20;

// yaml-cpp takes an open bracket for the start of a key until the text ends.
constexpr const char* not_a_key = "a key must be plain text (or a bracket is not closed)";

// Carries an Error out of yaml-cpp's parser; parse_config catches it.
struct Refusal {
    Error error;
};

// Builds the tree from the parser's events. yaml-cpp's own nodes are not used: they share aliased
// parts, which makes bombs cheap to write, and LoadAll never returns from some malformed input.
class TreeBuilder : public YAML::EventHandler {
  public:
    explicit TreeBuilder(const std::string& file) : file_(file) {}

    ConfigNode take_root() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) refuse(mark, "a second document begins here; allowed: one a file");
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        if (key_is_next()) refuse(mark, not_a_key);
        add(make(mark, ConfigNode::Kind::null));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "an alias (*name) is not supported; repeat the value");
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  const std::string& value) override {
        if (key_is_next()) {
            Open& map = open_.back();
            if (!map.keys.insert(value).second) {
                refuse(mark, "key " + in_quotes(value) + " stands twice");
            }
            map.key = value;
            map.key_line = line_of(mark);
            return;
        }
        ConfigNode node = make(mark, ConfigNode::Kind::scalar);
        node.scalar = value;
        add(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(mark, ConfigNode::Kind::list);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        open(mark, ConfigNode::Kind::map);
    }
    void OnMapEnd() override { close(); }

  private:
    // A list or map whose end has not been read.
    struct Open {
        ConfigNode node;
        std::set<std::string, std::less<>> keys;  // of a map, its own
        std::optional<std::string> key;           // read, its value not yet
        int key_line = 0;
    };

    // Values that the text leaves out can have no mark: they stand where the text has come to.
    int line_of(const YAML::Mark& mark) {
        if (!mark.is_null()) line_ = mark.line + 1;
        return line_;
    }

    [[noreturn]] void refuse(const YAML::Mark& mark, std::string what) {
        throw Refusal{bad_input(fmt::format("{}:{}", file_, line_of(mark)), std::move(what))};
    }

    bool key_is_next() const {
        return !open_.empty() && open_.back().node.is_map() && !open_.back().key.has_value();
    }

    ConfigNode make(const YAML::Mark& mark, ConfigNode::Kind kind) {
        if (++count_ > max_nodes) refuse(mark, "the document is too large");
        ConfigNode node;
        node.kind = kind;
        node.file = file_;
        node.line = line_of(mark);
        return node;
    }

    void open(const YAML::Mark& mark, ConfigNode::Kind kind) {
        if (key_is_next()) refuse(mark, not_a_key);
        if (open_.size() >= max_depth) {
            refuse(mark, fmt::format("is nested deeper than {} levels", max_depth));
        }
        open_.push_back({make(mark, kind), {}, {}, 0});
    }

    void close() {
        ConfigNode node = std::move(open_.back().node);
        open_.pop_back();
        add(std::move(node));
    }

    void add(ConfigNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.is_list()) {
            parent.node.items.push_back(std::move(node));
            return;
        }
        node.line = parent.key_line;
        parent.node.fields.push_back({std::move(*parent.key), std::move(node)});
        parent.key.reset();
    }

    const std::string& file_;
    ConfigNode root_;
    std::vector<Open> open_;
    std::size_t count_ = 0;
    int documents_ = 0;
    int line_ = 1;
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
        YAML::Parser parser(stream);
        TreeBuilder builder(file);
        if (!parser.HandleNextDocument(builder)) return bad_input(file, "is empty");
        parser.HandleNextDocument(builder);  // refuses a second document
        return builder.take_root();
    } catch (const Refusal& refusal) {
        return refusal.error;
    } catch (const YAML::Exception& error) {
        const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
        return bad_input(fmt::format("{}:{}", file, line), escaped(error.msg));
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
            return bad_input(child.where(), "unknown key " + in_quotes(key) + hint(key, allowed));
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
