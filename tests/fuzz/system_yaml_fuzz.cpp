// Any bytes as a system, a component and a template file, and as --set pairs: each gives something
// that holds together or an Error of one line.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "system/component_reader.h"
#include "system/override.h"
#include "system/system_reader.h"
#include "system/system_template.h"

namespace {

using namespace memside;

void require(bool holds) {
    if (!holds) std::abort();
}

void require_one_line(const Error& error) {
    require(error.kind == Error::Kind::bad_input);
    require(error.message().find('\n') == std::string::npos);
}

const ComponentLibrary& shipped() {
    static const ComponentLibrary library({{MEMSIDE_SOURCE_DIR "/systems/devices", "devices"}});
    return library;
}

void require_sound(const Component& component) {
    require(component.count >= 1 && component.count <= max_count);
    for (const SchemaKey& key : schema(component.kind)) {
        const Constant& constant = component.constant(key.key);
        require(key.positive ? constant.value > 0.0 : constant.value >= 0.0);
        require(!constant.source.empty() && !constant.where.empty());
    }
}

void require_sound(const SystemSpec& system) {
    for (const auto& [role, component] : system.components) require_sound(component);
    require(system.count("gpu") % system.gpu_nodes() == 0);
}

// Every scalar "key: value" of the document as a --set pair.
void try_overrides(const ConfigNode& node, SystemSpec& system) {
    for (const auto& [key, child] : node.fields) {
        if (!child.is_scalar()) continue;
        const Status status = apply_overrides({{key, child.scalar}}, system);
        if (!status.ok()) require_one_line(status.error());
    }
    const Status status = check_system(system);
    if (status.ok()) {
        require_sound(system);
    } else {
        require_one_line(status.error());
    }
}

void try_template(const ConfigNode& root) {
    const auto made = SystemTemplate::read(root);
    if (!made.ok()) return require_one_line(made.error());
    const auto names = made->names();
    const auto system = made->instantiate(names.front());
    if (!system.ok()) return require_one_line(system.error());
    if (!system->has_value()) return;
    const auto read = read_system(**system, shipped());
    if (!read.ok()) require_one_line(read.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto parsed = parse_system(text, "fuzz.yaml", shipped());
    if (parsed.ok()) {
        require_sound(*parsed);
    } else {
        require_one_line(parsed.error());
    }
    const auto root = parse_config(text, "fuzz.yaml");
    if (!root.ok()) return 0;
    const auto component = shipped().read(*root, "fuzz");
    if (!component.ok()) require_one_line(component.error());
    try_template(*root);
    static const auto base = parse_system(
        "system: box\ncomponents:\n  gpu: {use: a100-80gb}\n  gpu_link: {use: a100-nvlink}\n"
        "  cost: {use: us-prices}\n",
        "base.yaml", shipped());
    require(base.ok());
    SystemSpec system = *base;
    if (root->is_map()) try_overrides(*root, system);
    return 0;
}
