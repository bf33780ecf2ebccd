#include "system/component_reader.h"

#include <filesystem>

#include "base/data_dir.h"
#include "base/file.h"
#include "base/text.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_file_bytes = std::size_t{1} << 20;
constexpr std::string_view extension = ".yaml";

// A name is part of a path, so it is kept from leaving the folder.
bool is_component_name(std::string_view name) {
    if (name.empty() || name.size() > 64 || name.front() == '.') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '-' || c == '_';
    });
}

bool is_one_line(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// "[lowest, highest]", around the value.
Result<Constant::Range> read_range(const ConfigNode& node, const Constant& constant) {
    if (!node.is_list() || node.items.size() != 2) {
        return bad_input(node.where(), "'range' must be [lowest, highest]");
    }
    Constant::Range range;
    for (std::size_t i = 0; i < 2; ++i) {
        const ConfigNode& end = node.items[i];
        MEMSIDE_TRY((i == 0 ? range.low : range.high),
                    parse_quantity(end.scalar, constant.dimension, end.where()));
    }
    if (range.low > constant.value || constant.value > range.high) {
        return bad_input(node.where(), fmt::format("the range does not hold the value {}",
                                                   in_quotes(constant.text)));
    }
    return range;
}

Result<Constant> read_constant(const ConfigNode& node, const SchemaKey& key) {
    if (!node.is_map()) {
        return bad_input(node.where(),
                         fmt::format("'{}' must be {{value: ..., source: ...}}", key.key));
    }
    MEMSIDE_CHECK(expect_keys(node, {"value", "source", "range"}));
    MEMSIDE_TRY(const std::string value, required_text(node, "value"));
    if (node.find("source") == nullptr) {
        return bad_input(node.where(),
                         fmt::format("'{}' has no source; name the paper or datasheet, or write "
                                     "'assumed: <why>'",
                                     key.key));
    }
    MEMSIDE_TRY(const std::string source, required_text(node, "source"));
    MEMSIDE_TRY(Constant constant, make_constant(key, value, source, node.find("value")->where()));
    if (const ConfigNode* range = node.find("range")) {
        MEMSIDE_TRY(constant.range, read_range(*range, constant));
    }
    return constant;
}

// Checks the fields of a description, before any of them is followed.
Status check_description(const ConfigNode& root) {
    MEMSIDE_CHECK(expect_keys(root, {"kind", "inherit", "description", "constants"}));
    if (root.find("description") != nullptr) {
        MEMSIDE_TRY([[maybe_unused]] const std::string text, required_text(root, "description"));
    }
    return {};
}

}  // namespace

Result<Constant> make_constant(const SchemaKey& key, const std::string& text,
                               const std::string& source, const std::string& where) {
    MEMSIDE_TRY(const double value, parse_quantity(text, key.dimension, where));
    if (key.positive && value == 0.0) {
        return bad_input(where, fmt::format("{} must be more than 0", in_quotes(text)));
    }
    if (trim(source).empty()) {
        return bad_input(where, fmt::format("the source of '{}' is empty; name the paper or "
                                            "datasheet, or write 'assumed: <why>'",
                                            key.key));
    }
    if (!is_one_line(source)) {
        return bad_input(where, fmt::format("the source of '{}' must be one line", key.key));
    }
    Constant constant;
    constant.text = std::string(trim(text));
    constant.value = value;
    constant.dimension = key.dimension;
    constant.source = std::string(trim(source));
    constant.where = where;
    return constant;
}

Status read_constants(const ConfigNode& constants, Component& component) {
    if (!constants.is_map()) {
        return bad_input(constants.where(), "'constants' must be a map of constants");
    }
    for (const auto& [name, node] : constants.fields) {
        const SchemaKey* key = schema_key(component.kind, name);
        if (key == nullptr) {
            return bad_input(node.where(), fmt::format("unknown constant {} of a {}{}",
                                                       in_quotes(name), kind_name(component.kind),
                                                       hint(name, schema_keys(component.kind))));
        }
        MEMSIDE_TRY(Constant constant, read_constant(node, *key));
        component.constants.insert_or_assign(name, std::move(constant));
    }
    return {};
}

Result<ComponentKind> read_kind(const ConfigNode& map) {
    MEMSIDE_TRY(const std::string name, required_text(map, "kind"));
    const std::optional<ComponentKind> kind = kind_from_name(name);
    if (!kind) {
        return bad_input(map.find("kind")->where(),
                         "unknown kind " + in_quotes(name) + hint(name, kind_names()));
    }
    return *kind;
}

Result<ConfigNode> read_description(const std::string& path, const std::string& shown) {
    MEMSIDE_TRY(const std::string text, read_file(path, max_file_bytes));
    return parse_config(text, shown);
}

ComponentFolder shipped_components(const std::string& data) {
    return {(fs::path(data) / "systems/devices").string(), "systems/devices"};
}

Result<Component> ComponentLibrary::load(const std::string& name, const std::string& where) const {
    MEMSIDE_TRY(const ConfigNode root, find(name, where));
    return read(root, name);
}

Result<Component> ComponentLibrary::read(const ConfigNode& root, const std::string& name) const {
    // Child first, then its ancestors; read in reverse, so that the nearest description wins.
    std::vector<ConfigNode> chain{root};
    std::vector<std::string> names{name};
    MEMSIDE_CHECK(check_description(root));
    while (const ConfigNode* link = chain.back().find("inherit")) {
        MEMSIDE_TRY(const std::string parent, required_text(chain.back(), "inherit"));
        const std::string where = link->where();
        const bool cycle = std::find(names.begin(), names.end(), parent) != names.end();
        names.push_back(parent);
        if (cycle) {
            return bad_input(where, "inheritance goes in a circle: " + join(names, " -> "));
        }
        MEMSIDE_TRY(ConfigNode next, find(parent, where));
        MEMSIDE_CHECK(check_description(next));
        chain.push_back(std::move(next));
    }

    Component component;
    component.name = name;
    component.where = root.where();
    MEMSIDE_TRY(component.kind, read_kind(root));
    for (std::size_t i = chain.size(); i-- > 0;) {
        MEMSIDE_TRY(const ComponentKind kind, read_kind(chain[i]));
        if (kind != component.kind) {
            return bad_input(chain[i - 1].find("inherit")->where(),
                             fmt::format("a {} cannot inherit from '{}', which is a {}",
                                         kind_name(component.kind), names[i], kind_name(kind)));
        }
        const ConfigNode* constants = chain[i].find("constants");
        if (constants != nullptr) {
            MEMSIDE_CHECK(read_constants(*constants, component));
        }
    }
    return component;
}

Result<ConfigNode> ComponentLibrary::find(const std::string& name, const std::string& where) const {
    if (!is_component_name(name)) {
        return bad_input(where, in_quotes(name) +
                                    " is not a component's name; allowed: letters, "
                                    "digits, '-', '_' and '.'");
    }
    const std::string file = name + std::string(extension);
    std::vector<std::string> known;
    for (const ComponentFolder& folder : folders_) {
        const std::string path = (fs::path(folder.path) / file).string();
        std::error_code code;
        if (fs::exists(path, code)) {
            return read_description(path, (fs::path(folder.shown) / file).string());
        }
        for (const std::string& entry : list_folder(folder.path)) {
            if (entry.ends_with(extension)) {
                known.push_back(entry.substr(0, entry.size() - extension.size()));
            }
        }
    }
    return bad_input(where, "unknown component " + in_quotes(name) + hint(name, known));
}

}  // namespace memside
