#include "system/catalog.h"

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/data_dir.h"
#include "base/text.h"
#include "system/override.h"
#include "system/system_reader.h"
#include "system/system_template.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

constexpr const char* this_cpu = "this-cpu";

bool is_path(std::string_view text) {
    return std::count(text.begin(), text.end(), '/') > 0 || text.ends_with(".yaml") ||
           text.ends_with(".yml");
}

// The templates of systems/, in the order in which they are listed.
Result<std::vector<SystemTemplate>> load_templates(const std::string& data) {
    const std::string folder = (fs::path(data) / "systems").string();
    std::vector<SystemTemplate> templates;
    for (const std::string& name : list_folder(folder)) {
        if (!name.ends_with(".yaml")) continue;
        MEMSIDE_TRY(ConfigNode root,
                    read_description((fs::path(folder) / name).string(), "systems/" + name));
        MEMSIDE_TRY(SystemTemplate made, SystemTemplate::read(std::move(root)));
        templates.push_back(std::move(made));
    }
    std::sort(
        templates.begin(), templates.end(), [](const SystemTemplate& a, const SystemTemplate& b) {
            return std::make_pair(a.order(), a.shown()) < std::make_pair(b.order(), b.shown());
        });
    return templates;
}

std::vector<std::string> listed_names(const std::vector<SystemTemplate>& templates) {
    std::vector<std::string> names;
    for (const SystemTemplate& family : templates) {
        for (std::string& name : family.names()) names.push_back(std::move(name));
    }
    return names;
}

Error unknown_system(const std::string& name, const std::vector<SystemTemplate>& templates) {
    std::vector<std::string> candidates = listed_names(templates);
    candidates.emplace_back(this_cpu);
    const std::string near = nearest(name, candidates);
    std::string what = "unknown system " + in_quotes(name);
    if (!near.empty()) what += fmt::format("; did you mean '{}'?", near);
    std::vector<std::string> families;
    for (const SystemTemplate& family : templates) families.push_back(family.shown());
    families.emplace_back(this_cpu);
    families.emplace_back("a path to a YAML file");
    return bad_input("", what + " (allowed: " + join(families, ", ") + ")");
}

Result<SystemSpec> load_named(const std::string& name) {
    MEMSIDE_TRY(const std::string data, data_dir());
    MEMSIDE_TRY(const std::vector<SystemTemplate> templates, load_templates(data));
    for (const SystemTemplate& family : templates) {
        MEMSIDE_TRY(const std::optional<ConfigNode> root, family.instantiate(name));
        if (!root) continue;
        Result<SystemSpec> system =
            read_system(*root, ComponentLibrary({shipped_components(data)}));
        if (system.ok()) return system;
        // The line is the template's, so the message also says which system it is about.
        Error error = system.error();
        error.what += fmt::format(" (in system '{}')", name);
        return error;
    }
    return unknown_system(name, templates);
}

Result<SystemSpec> load_file(const std::string& path) {
    MEMSIDE_TRY(const ConfigNode root, read_description(path, path));
    // A file that brings all its components along works without the shipped ones.
    const std::string beside = fs::path(path).parent_path().string();
    std::vector<ComponentFolder> folders;
    for (const fs::path& folder : {fs::path(beside), fs::path(beside) / "devices"}) {
        folders.push_back({folder.empty() ? "." : folder.string(), folder.string()});
    }
    if (const Result<std::string> data = data_dir(); data.ok()) {
        folders.push_back(shipped_components(*data));
    }
    return read_system(root, ComponentLibrary(std::move(folders)));
}

// This machine's own description, measured by `memside calibrate`.
Result<SystemSpec> load_this_cpu() {
    const std::string file = std::string(this_cpu) + ".yaml";
    std::error_code code;
    if (fs::exists(file, code)) return load_file(file);

    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return fs::path(value == nullptr ? "" : value);
    };
    fs::path folder = variable("XDG_CONFIG_HOME");
    if (folder.empty() && !variable("HOME").empty()) folder = variable("HOME") / ".config";
    std::string tried = "./" + file;
    if (!folder.empty()) {
        const std::string path = (folder / "memside" / file).string();
        if (fs::exists(path, code)) return load_file(path);
        tried += " or " + path;
    }
    return bad_input(this_cpu,
                     fmt::format("this machine has not been measured: no {}; make one with "
                                 "`memside calibrate -o {}`",
                                 tried, file));
}

Result<SystemSpec> load_unchecked(const std::string& name_or_path) {
    if (name_or_path == this_cpu) return load_this_cpu();
    if (is_path(name_or_path)) return load_file(name_or_path);
    return load_named(name_or_path);
}

}  // namespace

Result<SystemSpec> load_system(const std::string& name_or_path,
                               const std::vector<std::pair<std::string, std::string>>& overrides) {
    MEMSIDE_TRY(SystemSpec system, load_unchecked(name_or_path));
    MEMSIDE_CHECK(apply_overrides(overrides, system));
    MEMSIDE_CHECK(check_system(system));
    return system;
}

std::vector<std::string> description_files(const SystemSpec& system) {
    std::set<std::string> shown;
    const auto add = [&](const std::string& where) {
        const std::size_t colon = where.rfind(':');  // "systems/x.yaml:12"
        if (colon != std::string::npos) shown.insert(where.substr(0, colon));
    };
    add(system.where);
    for (const auto& [role, component] : system.components) {
        add(component.where);
        for (const auto& [key, constant] : component.constants) add(constant.where);
    }
    // Shipped files are shown from the data folder on, others as the user wrote them.
    const Result<std::string> data = data_dir();
    std::vector<std::string> files;
    for (const std::string& name : shown) {
        std::error_code code;
        const fs::path shipped = fs::path(data.ok() ? *data : "") / name;
        if (fs::exists(name, code)) files.push_back(name);
        if (data.ok() && fs::exists(shipped, code)) files.push_back(shipped.string());
    }
    return files;
}

std::vector<std::string> system_names() {
    const Result<std::string> data = data_dir();
    if (!data.ok()) return {};
    const Result<std::vector<SystemTemplate>> templates = load_templates(*data);
    return templates.ok() ? listed_names(*templates) : std::vector<std::string>{};
}

}  // namespace memside
