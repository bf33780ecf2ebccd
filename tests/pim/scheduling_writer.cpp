// Writes the tables of docs/pim-scheduling.md and the drawings in tests/pim/schedules/.
#include <fmt/format.h>
#include <fstream>
#include <sstream>

#include "pim/overlap_programs.h"
#include "pim/schedule_drawing.h"
#include "pim/scheduling_figures.h"

int main() {
    using namespace memside::pim;
    const std::string root = MEMSIDE_SOURCE_DIR;
    for (const Drawing& drawing : schedule_drawings()) {
        std::ofstream file(fmt::format("{}/tests/pim/schedules/{}.txt", root, drawing.name));
        file << draw_schedule(drawing.program, shipped_timing(), drawing.scheduler);
    }
    const std::string path = fmt::format("{}/docs/pim-scheduling.md", root);
    std::stringstream buffer;
    buffer << std::ifstream(path).rdbuf();
    std::string text = buffer.str();
    for (const auto& [name, table] : scheduling_figures()) {
        const std::string begin = fmt::format("<!-- table: {} -->\n", name);
        const std::size_t at = text.find(begin);
        if (at == std::string::npos) {
            fmt::print(stderr, "{}: no place for the table '{}'\n", path, name);
            return 1;
        }
        const std::size_t first = at + begin.size();
        text.replace(first, text.find("<!-- end -->", first) - first, table);
    }
    std::ofstream(path) << text;
}
