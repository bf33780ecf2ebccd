#include "system/system_template.h"

#include "base/number.h"
#include "base/text.h"
#include "system/system_spec.h"

namespace memside {
namespace {

constexpr std::size_t max_names = 4096;
constexpr std::size_t max_name_bytes = 64;

bool is_count(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<SystemTemplate> SystemTemplate::read(ConfigNode root) {
    MEMSIDE_CHECK(expect_keys(root, {"system", "description", "order", "where", "components"}));
    SystemTemplate made;
    MEMSIDE_TRY(const std::string pattern, required_text(root, "system"));
    if (const ConfigNode* order = root.find("order")) {
        MEMSIDE_TRY(const std::string text, required_text(root, "order"));
        MEMSIDE_TRY(const std::int64_t number, parse_integer(text, 1, 1000, order->where()));
        made.order_ = static_cast<int>(number);
    }
    if (const ConfigNode* where = root.find("where")) {
        MEMSIDE_CHECK(made.read_placeholders(*where));
    }
    MEMSIDE_CHECK(made.read_pattern(pattern, root.find("system")->where()));
    made.root_ = std::move(root);
    return made;
}

Status SystemTemplate::read_placeholders(const ConfigNode& where) {
    if (!where.is_map()) return bad_input(where.where(), "'where' must be a map of lists");
    std::size_t combinations = 1;
    for (const auto& [name, list] : where.fields) {
        if (!list.is_list() || list.items.empty()) {
            return bad_input(list.where(), in_quotes(name) + " must be a list of its values");
        }
        Placeholder holder{name, {}, true};
        for (const ConfigNode& item : list.items) {
            if (!item.is_scalar() || item.scalar.empty() || item.scalar.size() > max_name_bytes) {
                return bad_input(item.where(),
                                 fmt::format("a value of {} must be text of 1 to {} characters",
                                             in_quotes(name), max_name_bytes));
            }
            holder.counts = holder.counts && is_count(item.scalar);
            holder.values.push_back(item.scalar);
        }
        combinations *= holder.values.size();
        if (combinations > max_names) {
            return bad_input(list.where(),
                             fmt::format("'where' lists more than {} systems", max_names));
        }
        placeholders_.push_back(std::move(holder));
    }
    return {};
}

Status SystemTemplate::read_pattern(const std::string& pattern, const std::string& where) {
    std::vector<bool> used(placeholders_.size());
    std::size_t start = 0;
    while (true) {
        const std::size_t open = pattern.find('{', start);
        if (open == std::string::npos) break;
        const std::size_t close = pattern.find('}', open);
        if (close == std::string::npos) {
            return bad_input(where, "'{' without '}' in " + in_quotes(pattern));
        }
        const std::string name = pattern.substr(open + 1, close - open - 1);
        const auto found = std::find_if(placeholders_.begin(), placeholders_.end(),
                                        [&](const Placeholder& h) { return h.name == name; });
        if (found == placeholders_.end()) {
            return bad_input(where, "placeholder " + in_quotes(name) + " has no values in 'where'");
        }
        const auto index = static_cast<std::size_t>(found - placeholders_.begin());
        if (used[index]) {
            return bad_input(where, "placeholder " + in_quotes(name) + " stands twice in the name");
        }
        used[index] = true;
        pieces_.push_back({pattern.substr(start, open - start), index});
        start = close + 1;
    }
    pieces_.push_back({pattern.substr(start), std::nullopt});
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (!used[i]) {
            return bad_input(where, fmt::format("placeholder {} is not in the name",
                                                in_quotes(placeholders_[i].name)));
        }
    }
    return {};
}

// What the placeholder takes from the front of `rest`: all digits, or its longest fitting value.
std::optional<std::string> SystemTemplate::take_value(std::string_view rest,
                                                      const Placeholder& holder) const {
    if (holder.counts) {
        const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
        if (digits == 0) return std::nullopt;
        return std::string(rest.substr(0, digits));
    }
    std::optional<std::string> best;
    for (const std::string& value : holder.values) {
        if (rest.starts_with(value) && (!best || value.size() > best->size())) best = value;
    }
    return best;
}

Result<std::optional<ConfigNode>> SystemTemplate::instantiate(const std::string& name) const {
    std::string_view rest = name;
    Bindings bindings;
    for (const Piece& piece : pieces_) {
        if (!rest.starts_with(piece.literal)) return std::optional<ConfigNode>{};
        rest.remove_prefix(piece.literal.size());
        if (!piece.placeholder) continue;
        const Placeholder& holder = placeholders_[*piece.placeholder];
        const std::optional<std::string> value = take_value(rest, holder);
        if (!value) return std::optional<ConfigNode>{};
        rest.remove_prefix(value->size());
        bindings.emplace_back(holder.name, *value);
    }
    if (!rest.empty()) return std::optional<ConfigNode>{};

    for (const auto& [placeholder, value] : bindings) {
        const auto holder =
            std::find_if(placeholders_.begin(), placeholders_.end(),
                         [&](const Placeholder& h) { return h.name == placeholder; });
        if (!holder->counts) continue;
        MEMSIDE_CHECK(parse_integer(value, 1, max_count, "system " + in_quotes(name)));
        if (value.front() == '0') {
            return bad_input("system " + in_quotes(name), in_quotes(value) + " has a leading zero");
        }
    }
    ConfigNode system = root_;
    std::erase_if(system.fields, [](const auto& field) { return field.key == "where"; });
    for (auto& [key, node] : system.fields) {
        if (key == "system") node.scalar = name;
        if (key == "components") MEMSIDE_CHECK(substitute(bindings, node));
    }
    return std::optional<ConfigNode>(std::move(system));
}

Status SystemTemplate::substitute(const Bindings& bindings, ConfigNode& node) const {
    for (ConfigNode& item : node.items) {
        MEMSIDE_CHECK(substitute(bindings, item));
    }
    for (auto& [key, field] : node.fields) {
        MEMSIDE_CHECK(substitute(bindings, field));
    }
    std::string text;
    std::size_t start = 0;
    while (true) {
        const std::size_t open = node.scalar.find('{', start);
        const std::size_t close = node.scalar.find('}', std::min(open, node.scalar.size()));
        if (open == std::string::npos || close == std::string::npos) break;
        const std::string name = node.scalar.substr(open + 1, close - open - 1);
        const auto found = std::find_if(bindings.begin(), bindings.end(),
                                        [&](const auto& binding) { return binding.first == name; });
        if (found == bindings.end()) {
            std::vector<std::string> known;
            for (const auto& [placeholder, value] : bindings) known.push_back(placeholder);
            return bad_input(node.where(),
                             "unknown placeholder " + in_quotes(name) + hint(name, known));
        }
        text.append(node.scalar, start, open - start).append(found->second);
        start = close + 1;
    }
    node.scalar = text.append(node.scalar, start, std::string::npos);
    return {};
}

std::vector<std::string> SystemTemplate::names() const {
    std::vector<std::string> names{""};
    for (const Piece& piece : pieces_) {
        std::vector<std::string> longer;
        for (const std::string& name : names) {
            if (!piece.placeholder) {
                longer.push_back(name + piece.literal);
                continue;
            }
            for (const std::string& value : placeholders_[*piece.placeholder].values) {
                longer.push_back(name + piece.literal + value);
            }
        }
        names = std::move(longer);
    }
    return names;
}

std::string SystemTemplate::shown() const {
    std::string shown;
    for (const Piece& piece : pieces_) {
        shown += piece.literal;
        if (!piece.placeholder) continue;
        const Placeholder& holder = placeholders_[*piece.placeholder];
        if (holder.counts) {
            shown += 'N';
        } else if (holder.values.size() == 1) {
            shown += holder.values.front();
        } else {
            shown += fmt::format("({})", join(holder.values, "|"));
        }
    }
    return shown;
}

}  // namespace memside
