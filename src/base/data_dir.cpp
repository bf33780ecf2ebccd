#include "base/data_dir.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace memside {
namespace {

namespace fs = std::filesystem;

bool is_data_dir(const fs::path& path) {
    std::error_code code;
    return fs::is_directory(path / "systems", code) && fs::is_directory(path / "models", code);
}

Result<std::string> find_data_dir() {
    if (const char* chosen = std::getenv("MEMSIDE_DATA"); chosen != nullptr && *chosen != '\0') {
        if (is_data_dir(chosen)) return std::string(chosen);
        return bad_input("MEMSIDE_DATA", fmt::format("{} has no systems/ and models/", chosen));
    }
    std::error_code code;
    const fs::path executable = fs::read_symlink("/proc/self/exe", code);
    for (fs::path folder = executable.parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
        if (is_data_dir(folder)) return folder.string();
        if (is_data_dir(folder / "share/memside")) return (folder / "share/memside").string();
    }
    return bad_input("memside",
                     "cannot find systems/ and models/ above the executable; set MEMSIDE_DATA to "
                     "the folder that holds them");
}

}  // namespace

Result<std::string> data_dir() {
    static const Result<std::string> found = find_data_dir();
    return found;
}

std::vector<std::string> list_folder(const std::string& path) {
    std::vector<std::string> names;
    std::error_code code;
    for (fs::directory_iterator entry(path, code), end; !code && entry != end;
         entry.increment(code)) {
        std::string name = entry->path().filename().string();
        if (!name.starts_with('.')) names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace memside
