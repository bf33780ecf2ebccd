// Writes the tables of docs/aim-differences.md in the source tree.
// usage: aim_table
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "pim/difference_tables.h"

int main() {
    const std::string path = std::string(MEMSIDE_SOURCE_DIR) + "/docs/aim-differences.md";
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    const std::string document = memside::pim::with_difference_tables(text.str());
    if (document.empty()) {
        std::fprintf(stderr, "%s has no place for the tables\n", path.c_str());
        return 1;
    }
    std::ofstream(path) << document;
    return 0;
}
