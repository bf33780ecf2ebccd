#include "system/system_spec.h"

#include <cassert>

namespace memside {

const Constant& Component::constant(std::string_view key) const {
    const auto found = constants.find(key);
    assert(found != constants.end());
    return found->second;
}

double Component::value(std::string_view key) const {
    return constant(key).value;
}

const Component* SystemSpec::find(std::string_view role) const {
    const auto found = components.find(role);
    return found == components.end() ? nullptr : &found->second;
}

const Component& SystemSpec::at(std::string_view role) const {
    const Component* component = find(role);
    assert(component != nullptr);
    return *component;
}

int SystemSpec::count(std::string_view role) const {
    const Component* component = find(role);
    return component == nullptr ? 0 : component->count;
}

int SystemSpec::gpu_nodes() const {
    return has("node_link") ? count("node_link") : 1;
}

int SystemSpec::memory_nodes() const {
    return count("uplink");
}

std::vector<std::string> SystemSpec::roles() const {
    std::vector<std::string> filled;
    for (const RoleInfo& info : system_roles()) {
        if (has(info.role)) filled.emplace_back(info.role);
    }
    return filled;
}

double ConstantReader::value(std::string_view role, std::string_view key) {
    const Constant& constant = system_.at(role).constant(key);
    used_.try_emplace(constant.path, constant);
    return constant.value;
}

int ConstantReader::count(std::string_view role) {
    const Component* component = system_.find(role);
    if (component == nullptr) return 0;
    if (!component->count_source.empty()) {
        Constant constant;
        constant.path = fmt::format("{}.count", role);
        constant.text = fmt::format("{}", component->count);
        constant.value = component->count;
        constant.source = component->count_source;
        constant.where =
            component->count_source == "--set" ? component->count_source : component->count_where;
        used_.try_emplace(constant.path, constant);
    }
    return component->count;
}

std::vector<Constant> ConstantReader::used() const {
    std::vector<Constant> constants;
    for (const auto& [path, constant] : used_) constants.push_back(constant);
    return constants;
}

}  // namespace memside
