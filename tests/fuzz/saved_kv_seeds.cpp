// seeds_saved_kv FOLDER: writes saved sequences without their pages, for the saved_kv fuzzer to
// start from.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/saved_kv_file.h"
#include "engine/saved_store.h"

using namespace memside::engine;

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: seeds_saved_kv FOLDER\n", stderr);
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    ThreadPool pool(1);
    for (const auto type : {memside::kv::ValueType::f16, memside::kv::ValueType::bf16,
                            memside::kv::ValueType::int8}) {
        for (const std::int64_t tokens : {1, 100, 300}) {
            const std::string path =
                folder / (std::to_string(static_cast<int>(type)) + "-" + std::to_string(tokens));
            const auto made = test::SavedStore::make(type, tokens);
            if (!made.save(path, pool).ok()) return 1;
            const auto file = SavedKvFile::open(path);
            if (!file.ok()) return 1;
            const auto bytes = (*file)->saved.layers()[0].pages_offset;
            std::ifstream in(path, std::ios::binary);
            std::string content(bytes, '\0');
            in.read(content.data(), static_cast<std::streamsize>(bytes));
            content.resize(content.find_last_not_of('\0') + 1);
            std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
        }
    }
    return 0;
}
