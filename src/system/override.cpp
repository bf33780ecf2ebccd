#include "system/override.h"

#include "base/data_dir.h"
#include "base/number.h"
#include "base/text.h"
#include "system/component_reader.h"

namespace memside {
namespace {

Status set_count(const std::string& where, const std::string& value, Component& component) {
    const CountRule rule = find_role(component.role)->count;
    if (rule != CountRule::given) {
        const std::string_view reason = rule == CountRule::per_gpu ? "it follows gpu.count"
                                        : rule == CountRule::per_memory_device
                                            ? "it follows pnm.count, cxl.count and pim.count"
                                            : "a system has one";
        return bad_input(
            where, fmt::format("the count of '{}' cannot be set; {}", component.role, reason));
    }
    MEMSIDE_TRY(const std::int64_t count, parse_integer(value, 1, max_count, where));
    component.count = static_cast<int>(count);
    component.count_source = "--set";
    component.count_where = where;
    return {};
}

// Another described component of the kind in its place, as many of it.
Status use_component(const std::string& where, const std::string& name, Component& component) {
    MEMSIDE_TRY(const std::string data, data_dir());
    MEMSIDE_TRY(Component other, ComponentLibrary({shipped_components(data)}).load(name, where));
    if (other.kind != component.kind) {
        return bad_input(where,
                         fmt::format("role '{}' takes a {}, but '{}' is a {}", component.role,
                                     kind_name(component.kind), name, kind_name(other.kind)));
    }
    for (auto& [key, constant] : other.constants) {
        constant.path = fmt::format("{}.{}", component.role, key);
    }
    component.name = other.name;
    component.where = other.where;
    component.constants = std::move(other.constants);
    return {};
}

Status apply(const std::string& path, const std::string& value, SystemSpec& system) {
    const std::string shown = in_quotes(path);
    const std::string where = "--set " + shown.substr(1, shown.size() - 2);
    const std::size_t dot = path.find('.');
    if (dot == std::string::npos) {
        return bad_input(where, "expected role.key=value, such as 'gpu.price=1 USD/h'");
    }
    const std::string role = path.substr(0, dot);
    const std::string key = path.substr(dot + 1);

    const auto found = system.components.find(role);
    if (found == system.components.end()) {
        const std::string problem = find_role(role) != nullptr
                                        ? fmt::format("system '{}' has no {}", system.name, role)
                                        : "unknown role " + in_quotes(role);
        const std::string near = nearest(role, system.roles());
        const std::string meant = near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
        return bad_input(where, problem + meant + " (it has " + join(system.roles(), ", ") + ")");
    }
    Component& component = found->second;
    if (key == "count") return set_count(where, value, component);
    if (key == "use") return use_component(where, value, component);

    const SchemaKey* entry = schema_key(component.kind, key);
    if (entry == nullptr) {
        std::vector<std::string> allowed = schema_keys(component.kind);
        allowed.emplace_back("count");
        allowed.emplace_back("use");
        return bad_input(where, fmt::format("'{}' has no constant {}{}", role, in_quotes(key),
                                            hint(key, allowed)));
    }
    MEMSIDE_TRY(Constant constant, make_constant(*entry, value, "--set", where));
    constant.path = path;
    constant.where = "--set";
    component.constants.insert_or_assign(key, std::move(constant));
    return {};
}

}  // namespace

Status apply_overrides(const Overrides& overrides, SystemSpec& system) {
    for (const auto& [path, value] : overrides) {
        MEMSIDE_CHECK(apply(path, value, system));
        const auto known = std::find_if(system.overrides.begin(), system.overrides.end(),
                                        [&](const auto& pair) { return pair.first == path; });
        if (known == system.overrides.end()) {
            system.overrides.emplace_back(path, value);
        } else {
            known->second = value;
        }
    }
    return {};
}

}  // namespace memside
