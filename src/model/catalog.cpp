#include "model/catalog.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/data_dir.h"
#include "base/file.h"
#include "base/text.h"
#include "model/gguf_header.h"
#include "model/hf_config.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_config_bytes = std::size_t{1} << 20;
constexpr const char* config_name = "config.json";

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower;
}

Result<ModelSpec> load_gguf(const std::string& path) {
    MEMSIDE_TRY(const GgufHeader header, read_gguf_header(path));
    return model_from_gguf(header, path);
}

// A model is named after its folder when the file has the customary name, else after the file.
std::string config_model_name(const fs::path& path) {
    if (path.filename() != config_name) return path.stem().string();
    std::error_code code;
    const std::string folder = fs::absolute(path, code).parent_path().filename().string();
    return folder.empty() ? path.stem().string() : folder;
}

Result<ModelSpec> load_config(const fs::path& path) {
    MEMSIDE_TRY(const std::string json, read_file(path.string(), max_config_bytes));
    return parse_hf_config(json, path.string(), config_model_name(path));
}

Result<ModelSpec> load_path(const std::string& path) {
    std::error_code code;
    if (!fs::is_directory(path, code)) return load_config(path);
    const fs::path config = fs::path(path) / config_name;
    if (!fs::exists(config, code)) {
        return bad_input(path, "is a directory without a config.json");
    }
    return load_config(config.lexically_normal());
}

}  // namespace

Result<std::vector<std::string>> model_names() {
    MEMSIDE_TRY(const std::string data, data_dir());
    const fs::path folder = fs::path(data) / "models";
    std::vector<std::string> names;
    for (const std::string& name : list_folder(folder.string())) {
        std::error_code code;
        if (fs::is_regular_file(folder / name / config_name, code)) names.push_back(name);
    }
    return names;
}

Result<ModelSpec> load_model(const std::string& name_or_path) {
    if (name_or_path.empty()) return bad_input("model", "the name is empty");
    const std::string lower = lower_case(name_or_path);
    if (lower.ends_with(".gguf")) return load_gguf(name_or_path);

    // A preset's name means the preset, whatever lies in the working directory.
    const Result<std::vector<std::string>> names = model_names();
    if (names.ok() && std::binary_search(names->begin(), names->end(), lower)) {
        const std::string relative = fmt::format("models/{}/{}", lower, config_name);
        MEMSIDE_TRY(const std::string data, data_dir());
        MEMSIDE_TRY(ModelSpec spec, load_config(fs::path(data) / relative));
        spec.source = relative;  // the same wherever Memside is installed
        return spec;
    }
    std::error_code code;
    const bool looks_like_path = lower.find('/') != std::string::npos || lower.ends_with(".json");
    if (looks_like_path || fs::exists(name_or_path, code)) return load_path(name_or_path);
    if (!names.ok()) return names.error();
    return bad_input(
        "model", fmt::format("unknown model {}{}", in_quotes(name_or_path), hint(lower, *names)));
}

}  // namespace memside
