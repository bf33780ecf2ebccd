// Writes the table of docs/pim.md: `pim_table` prints it, `pim_table --write` puts it into the
// document of the source tree.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "pim/pim_tables.h"

int main(int argc, char** argv) {
    using namespace memside::pim;
    if (argc == 1) {
        std::fputs(instructions_markdown().c_str(), stdout);
        return 0;
    }
    if (argc != 2 || std::string(argv[1]) != "--write") {
        std::fputs("usage: pim_table [--write]\n", stderr);
        return 2;
    }
    const std::string path = MEMSIDE_SOURCE_DIR "/docs/pim.md";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string document = with_tables(text.str());
    if (document.empty()) {
        std::fprintf(stderr, "%s has no place for the table\n", path.c_str());
        return 1;
    }
    std::ofstream(path) << document;
    return 0;
}
