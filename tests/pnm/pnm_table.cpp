// Writes the tables of docs/pnm.md: `pnm_table` prints them, `pnm_table --write` puts them into the
// document of the source tree.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "pnm/pnm_tables.h"

int main(int argc, char** argv) {
    using namespace memside::pnm;
    if (argc == 1) {
        for (const auto& [name, table] : generated_tables()) {
            std::printf("%s\n%s\n", name.c_str(), table.c_str());
        }
        return 0;
    }
    if (argc != 2 || std::string(argv[1]) != "--write") {
        std::fputs("usage: pnm_table [--write]\n", stderr);
        return 2;
    }
    const std::string path = MEMSIDE_SOURCE_DIR "/docs/pnm.md";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string document = with_tables(text.str());
    if (document.empty()) {
        std::fprintf(stderr, "%s has no place for the tables\n", path.c_str());
        return 1;
    }
    std::ofstream(path) << document;
    return 0;
}
