// Writes the tables of docs/dram.md: `dram_table` prints them, `dram_table --write` puts them into
// the document of the source tree.
#include <cstdio>
#include <fstream>
#include <string>

#include "dram/golden_rows.h"

int main(int argc, char** argv) {
    using namespace memside::dram;
    std::vector<GoldenComparison> rows;
    for (const GoldenRow& row : read_golden_rows()) rows.push_back(compare(row));
    if (argc == 1) {
        std::printf("%s\n%s", accuracy_table(rows).c_str(), speed_table(rows).c_str());
        return 0;
    }
    if (argc != 2 || std::string(argv[1]) != "--write") {
        std::fputs("usage: dram_table [--write]\n", stderr);
        return 2;
    }
    const std::string path = std::string(MEMSIDE_SOURCE_DIR) + "/docs/dram.md";
    std::string document = replace_table(read_text(path), "accuracy", accuracy_table(rows));
    if (!document.empty()) document = replace_table(document, "speed", speed_table(rows));
    if (document.empty()) {
        std::fprintf(stderr, "%s has no place for the tables\n", path.c_str());
        return 1;
    }
    std::ofstream(path) << document;
    return 0;
}
