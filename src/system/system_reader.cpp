#include "system/system_reader.h"

#include "base/number.h"
#include "base/text.h"

namespace memside {
namespace {

// "2*8", "32/16", "4": evaluated from left to right, every quotient exact.
Result<int> parse_count(const std::string& text, const std::string& where) {
    std::int64_t value = 1;
    char operation = '*';
    std::size_t start = 0;
    while (true) {
        const std::size_t end = std::min(text.find_first_of("*/", start), text.size());
        const std::string number(trim(std::string_view(text).substr(start, end - start)));
        MEMSIDE_TRY(const std::int64_t factor, parse_integer(number, 1, max_count, where));
        if (operation == '/' && value % factor != 0) {
            return bad_input(where, fmt::format("count {} is not a whole number", in_quotes(text)));
        }
        value = operation == '/' ? value / factor : value * factor;
        // Also keeps the product of the next two factors far from overflow.
        if (value > std::int64_t{max_count} * max_count) break;
        if (end == text.size()) break;
        operation = text[end];
        start = end + 1;
    }
    if (value > max_count) {
        return bad_input(where, fmt::format("count {} is out of range; allowed: 1 to {}",
                                            in_quotes(text), max_count));
    }
    return static_cast<int>(value);
}

Status read_count(const ConfigNode& entry, const RoleInfo& role, Component& component) {
    const ConfigNode* node = entry.find("count");
    if (role.count != CountRule::given) {
        if (node == nullptr) return {};
        return bad_input(node->where(),
                         fmt::format("role '{}' takes no count; {}", role.role,
                                     role.count == CountRule::per_gpu ? "it has one per GPU"
                                     : role.count == CountRule::per_memory_device
                                         ? "it has one per memory device"
                                         : "a system has one"));
    }
    if (node == nullptr) return {};
    component.count_where = node->where();
    if (node->is_map()) {
        MEMSIDE_CHECK(expect_keys(*node, {"value", "source"}));
        MEMSIDE_TRY(component.count_source, required_text(*node, "source"));
        if (trim(component.count_source).empty()) {
            return bad_input(node->where(), "the source of 'count' is empty");
        }
        MEMSIDE_TRY(const std::string text, required_text(*node, "value"));
        MEMSIDE_TRY(component.count, parse_count(text, node->where()));
        return {};
    }
    MEMSIDE_TRY(const std::string text, required_text(entry, "count"));
    MEMSIDE_TRY(component.count, parse_count(text, node->where()));
    return {};
}

// The description itself: found by name, or given in place.
Result<Component> read_described(const ConfigNode& entry, const RoleInfo& role,
                                 const ComponentLibrary& library) {
    if (entry.find("use") != nullptr) {
        if (entry.find("kind") != nullptr) {
            return bad_input(entry.where(), fmt::format("'{}' has both 'use' and 'kind'; 'use' "
                                                        "takes the kind of what it names",
                                                        role.role));
        }
        MEMSIDE_TRY(const std::string name, required_text(entry, "use"));
        return library.load(name, entry.find("use")->where());
    }
    if (entry.find("kind") == nullptr) {
        return bad_input(entry.where(), fmt::format("'{}' needs 'use: <component>', or 'kind' and "
                                                    "'constants'",
                                                    role.role));
    }
    Component component;
    component.name = role.role;
    component.where = entry.where();
    MEMSIDE_TRY(component.kind, read_kind(entry));
    return component;
}

Result<Component> read_entry(const ConfigNode& entry, const RoleInfo& role,
                             const ComponentLibrary& library) {
    MEMSIDE_CHECK(expect_keys(entry, {"use", "kind", "count", "constants"}));
    MEMSIDE_TRY(Component component, read_described(entry, role, library));
    if (component.kind != role.kind) {
        return bad_input(entry.where(), fmt::format("role '{}' takes a {}, but '{}' is a {}",
                                                    role.role, kind_name(role.kind), component.name,
                                                    kind_name(component.kind)));
    }
    component.role = role.role;
    const ConfigNode* constants = entry.find("constants");
    if (constants != nullptr) {
        MEMSIDE_CHECK(read_constants(*constants, component));
    }
    MEMSIDE_CHECK(read_count(entry, role, component));
    for (auto& [key, constant] : component.constants) {
        constant.path = fmt::format("{}.{}", role.role, key);
    }
    return component;
}

std::vector<std::string> role_names() {
    std::vector<std::string> names;
    for (const RoleInfo& role : system_roles()) names.emplace_back(role.role);
    return names;
}

}  // namespace

Result<SystemSpec> read_system(const ConfigNode& root, const ComponentLibrary& library) {
    MEMSIDE_CHECK(expect_keys(root, {"system", "description", "order", "where", "components"}));
    SystemSpec system;
    MEMSIDE_TRY(system.name, required_text(root, "system"));
    const std::string name_where = root.find("system")->where();
    if (root.find("where") != nullptr || system.name.find('{') != std::string::npos) {
        return bad_input(name_where,
                         "describes many systems; name one of them instead of the file");
    }
    if (trim(system.name).empty() || in_quotes(system.name) != "'" + system.name + "'") {
        return bad_input(name_where, "the system's name must be 1 to 60 printable characters");
    }
    const ConfigNode* components = root.find("components");
    if (components == nullptr) return bad_input(root.where(), "key 'components' is missing");
    if (!components->is_map()) {
        return bad_input(components->where(), "'components' must be a map of roles");
    }
    system.where = components->where();
    for (const auto& [name, entry] : components->fields) {
        const RoleInfo* role = find_role(name);
        if (role == nullptr) {
            return bad_input(entry.where(),
                             "unknown role " + in_quotes(name) + hint(name, role_names()));
        }
        MEMSIDE_TRY(Component component, read_entry(entry, *role, library));
        system.components.emplace(name, std::move(component));
    }
    for (const RoleInfo& role : system_roles()) {
        // Machines without a GPU need no link between GPUs either.
        const bool others = system.has("cpu") || (system.has("pim") && role.role != "cost");
        if (role.required && !system.has(role.role) && !others) {
            return bad_input(components->where(),
                             fmt::format("role '{}' is missing ({})", role.role, role.meaning));
        }
    }
    return system;
}

Result<SystemSpec> parse_system(std::string_view text, const std::string& file,
                                const ComponentLibrary& library) {
    MEMSIDE_TRY(const ConfigNode root, parse_config(text, file));
    MEMSIDE_TRY(SystemSpec system, read_system(root, library));
    MEMSIDE_CHECK(check_system(system));
    return system;
}

}  // namespace memside
