// Where scripts/fetch-model puts a real model.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace memside::test {

// What a test that needs the model says when it skips itself; scripts/run-tests counts these words.
inline constexpr const char* no_real_model =
    "no real model; scripts/fetch-model gemma3-270m brings it";

// Gemma 3 270M in the user's cache; "" when it is not there.
inline std::string gemma_file() {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    };
    std::string cache = variable("XDG_CACHE_HOME");
    if (!cache.starts_with('/')) cache = variable("HOME") + "/.cache";
    const std::string path = cache + "/memside/models/gemma-3-270m-q4_k_m.gguf";
    return std::filesystem::is_regular_file(path) ? path : "";
}

}  // namespace memside::test
