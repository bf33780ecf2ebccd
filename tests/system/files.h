// Helpers of the system tests: a folder of descriptions that lasts one test, the shipped data, and
// a minimal system to spoil.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "system/component_reader.h"

namespace memside::testing_system {

namespace fs = std::filesystem;

class TempFolder {
  public:
    TempFolder() {
        std::string pattern = (fs::temp_directory_path() / "memside-system-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~TempFolder() {
        std::error_code code;
        fs::remove_all(path_, code);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    std::string write(const std::string& name, const std::string& text) const {
        const fs::path path = fs::path(path_) / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
        return path.string();
    }
    const std::string& path() const { return path_; }
    ComponentLibrary library() const { return ComponentLibrary({{path_, "dev"}}); }

  private:
    std::string path_;
};

// Points MEMSIDE_DATA at the source tree's systems/ before the first look-up, which is remembered
// for the process; the folder of models that data_dir() expects may be empty.
class ShippedData : public ::testing::Environment {
  public:
    void SetUp() override {
        fs::create_directories(fs::path(folder_.path()) / "models");
        fs::create_directory_symlink(fs::path(MEMSIDE_SOURCE_DIR) / "systems",
                                     fs::path(folder_.path()) / "systems");
        ::setenv("MEMSIDE_DATA", folder_.path().c_str(), 1);
    }

  private:
    TempFolder folder_;
};

inline ComponentLibrary shipped_library() {
    return ComponentLibrary({{std::string(MEMSIDE_SOURCE_DIR) + "/systems/devices", "devices"}});
}

inline const std::string minimal_system =
    "system: box\n"
    "components:\n"
    "  gpu: {use: a100-80gb, count: 2}\n"
    "  gpu_link: {use: a100-nvlink}\n"
    "  cost: {use: us-prices}\n";

}  // namespace memside::testing_system
