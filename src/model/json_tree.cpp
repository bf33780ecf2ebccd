#include "model/json_tree.h"

#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace memside {
namespace {

constexpr std::size_t max_depth = 64;

struct Position {
    std::size_t offset = 0;
    std::size_t line_start = 0;
    int line = 1;
};

// Feeds the parser and keeps count of lines: its callbacks are not told where they are.
class CountingIterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = const char*;
    using reference = const char&;

    CountingIterator(const char* at, Position* position) : at_(at), position_(position) {}

    reference operator*() const { return *at_; }
    CountingIterator& operator++() {
        ++position_->offset;
        if (*at_ == '\n') {
            ++position_->line;
            position_->line_start = position_->offset;
        }
        ++at_;
        return *this;
    }
    CountingIterator operator++(int) {
        CountingIterator before = *this;
        ++*this;
        return before;
    }
    friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
        return a.at_ == b.at_;
    }

  private:
    const char* at_;
    Position* position_;
};

// Builds the tree from parser events. Each function returns false to stop.
class TreeBuilder {
  public:
    using number_integer_t = nlohmann::json::number_integer_t;
    using number_unsigned_t = nlohmann::json::number_unsigned_t;
    using number_float_t = nlohmann::json::number_float_t;
    using string_t = nlohmann::json::string_t;
    using binary_t = nlohmann::json::binary_t;

    TreeBuilder(std::string_view text, const Position& position, const std::string& file,
                std::size_t max_values)
        : text_(text), position_(position), file_(file), max_values_(max_values) {}

    bool null() { return add({}) != nullptr; }
    bool boolean(bool value) {
        JsonNode node;
        node.kind = JsonNode::Kind::boolean;
        node.boolean = value;
        return add(std::move(node)) != nullptr;
    }
    bool number_integer(number_integer_t value) {
        return add_integer(value, fmt::format("{}", value));
    }
    bool number_unsigned(number_unsigned_t value) {
        constexpr auto limit = std::numeric_limits<std::int64_t>::max();
        return add_integer(value > static_cast<number_unsigned_t>(limit)
                               ? limit
                               : static_cast<std::int64_t>(value),
                           fmt::format("{}", value));
    }
    bool number_float(number_float_t, const string_t& as_written) {
        // Integers beyond 64 bits arrive here too.
        if (as_written.find_first_of(".eE") == string_t::npos) {
            return add_integer(as_written.starts_with('-')
                                   ? std::numeric_limits<std::int64_t>::min()
                                   : std::numeric_limits<std::int64_t>::max(),
                               as_written);
        }
        JsonNode node;
        node.kind = JsonNode::Kind::real;
        node.text = as_written;
        return add(std::move(node)) != nullptr;
    }
    bool string(string_t& value) {
        JsonNode node;
        node.kind = JsonNode::Kind::string;
        node.text = std::move(value);
        return add(std::move(node)) != nullptr;
    }
    bool binary(binary_t&) { return fail("binary values are not JSON"); }

    bool start_object(std::size_t) { return open(JsonNode::Kind::object); }
    bool key(string_t& name) {
        JsonNode value;
        value.line = position_.line;
        open_.back()->fields.push_back({std::move(name), std::move(value)});
        return true;
    }
    bool end_object() {
        const bool unique = keys_are_unique(*open_.back());
        open_.pop_back();
        return unique;
    }
    bool start_array(std::size_t) { return open(JsonNode::Kind::list); }
    bool end_array() {
        open_.pop_back();
        return true;
    }

    bool parse_error(std::size_t characters_read, const std::string& last_token,
                     const nlohmann::json::exception& exception) {
        constexpr int syntax_error = 101;  // the library's number; others are about values
        if (exception.id != syntax_error) {
            return fail(fmt::format("number {} is out of range", in_quotes(last_token)));
        }
        // The end of the text counts as one more character.
        if (characters_read > text_.size()) {
            return fail("the JSON text ends too early; is the file truncated?");
        }
        const std::size_t column =
            std::max<std::size_t>(position_.offset - position_.line_start, 1);
        return fail(
            fmt::format("not valid JSON at column {}, near {}", column, in_quotes(last_token)));
    }

    Result<JsonNode> finish(bool parsed) && {
        if (parsed) return std::move(root_);
        return bad_input(fmt::format("{}:{}", file_, error_line_), std::move(error_));
    }

  private:
    bool fail(std::string what) {
        error_line_ = position_.line;
        error_ = std::move(what);
        return false;
    }

    bool add_integer(std::int64_t value, std::string as_written) {
        JsonNode node;
        node.kind = JsonNode::Kind::integer;
        node.integer = value;
        node.text = std::move(as_written);
        return add(std::move(node)) != nullptr;
    }

    // Puts a value where the next one belongs: at the root, in a list, or under the last key.
    JsonNode* add(JsonNode node) {
        if (++nodes_ > max_values_) {
            fail(fmt::format("more than {} values", max_values_));
            return nullptr;
        }
        node.line = position_.line;
        JsonNode* slot = &root_;
        if (!open_.empty() && open_.back()->kind == JsonNode::Kind::object) {
            slot = &open_.back()->fields.back().value;
            node.line = slot->line;
        } else if (!open_.empty()) {
            slot = &open_.back()->items.emplace_back();
        }
        *slot = std::move(node);
        return slot;
    }

    bool open(JsonNode::Kind kind) {
        if (open_.size() >= max_depth) {
            return fail(fmt::format("nested deeper than {} levels", max_depth));
        }
        JsonNode node;
        node.kind = kind;
        // Stays valid while open: only its own children are appended until it is closed.
        JsonNode* slot = add(std::move(node));
        if (slot == nullptr) return false;
        open_.push_back(slot);
        return true;
    }

    bool keys_are_unique(const JsonNode& object) {
        std::vector<std::pair<std::string_view, int>> keys;
        for (const auto& [name, value] : object.fields) keys.emplace_back(name, value.line);
        std::sort(keys.begin(), keys.end());
        const auto same =
            std::adjacent_find(keys.begin(), keys.end(),
                               [](const auto& a, const auto& b) { return a.first == b.first; });
        if (same == keys.end()) return true;
        fail(fmt::format("key {} is given twice, first on line {}", in_quotes(same->first),
                         same->second));
        error_line_ = std::next(same)->second;
        return false;
    }

    std::string_view text_;
    const Position& position_;
    const std::string& file_;
    std::size_t max_values_;
    JsonNode root_;
    std::vector<JsonNode*> open_;
    std::size_t nodes_ = 0;
    std::string error_;
    int error_line_ = 0;
};

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
    for (const auto& [name, value] : fields) {
        if (name == key) return value.kind == Kind::null ? nullptr : &value;
    }
    return nullptr;
}

std::string_view JsonNode::kind_name() const {
    switch (kind) {
        case Kind::null:
            return "null";
        case Kind::boolean:
            return "a boolean";
        case Kind::integer:
            return "an integer";
        case Kind::real:
            return "a fraction";
        case Kind::string:
            return "a string";
        case Kind::list:
            return "a list";
        case Kind::object:
            return "an object";
    }
    return "";
}

Result<JsonNode> parse_json_tree(std::string_view text, const std::string& file,
                                 std::size_t max_values) {
    Position position;
    TreeBuilder builder(text, position, file, max_values);
    const char* end = text.data() + text.size();
    const bool parsed = nlohmann::json::sax_parse(CountingIterator(text.data(), &position),
                                                  CountingIterator(end, &position), &builder);
    return std::move(builder).finish(parsed);
}

}  // namespace memside
