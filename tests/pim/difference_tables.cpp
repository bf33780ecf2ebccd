#include "pim/difference_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "pim/golden_files.h"
#include "pim/shipped_timing.h"
#include "pim/simulation.h"

namespace memside::pim {
namespace {

SimulationResult run(const std::vector<Instruction>& instructions) {
    return simulate({.instructions = instructions, .loops = {}, .strides = {}}, shipped_timing(),
                    {.refresh = RefreshMode::off})
        .value();
}

std::string accesses(const std::array<std::uint64_t, command_count>& commands) {
    return fmt::format("{} / {}", commands[static_cast<std::size_t>(Command::rd)],
                       commands[static_cast<std::size_t>(Command::wr)]);
}

std::string replaced(const std::string& document, const std::string& name,
                     const std::string& table) {
    const std::string begin = fmt::format("<!-- {}: begin -->\n", name);
    const std::size_t from = document.find(begin);
    const std::size_t to = document.find(fmt::format("<!-- {}: end -->", name));
    if (from == std::string::npos || to == std::string::npos) return "";
    return fmt::format("{}{}{}", document.substr(0, from + begin.size()), table,
                       document.substr(to));
}

// What the program's host accesses are: the reason of a difference.
std::string accesses_of(const std::vector<Instruction>& program) {
    std::string text;
    for (const Instruction& i : program) {
        const bool host = i.opcode == Opcode::rd_sbk || i.opcode == Opcode::wr_sbk;
        const char* name = !host ? "AiM" : i.opcode == Opcode::rd_sbk ? "RD_SBK" : "WR_SBK";
        text += fmt::format("{}{}", text.empty() ? "" : ", ", name);
    }
    return text;
}

struct PairClass {
    int programs = 0;
    int equal = 0;
    std::int64_t least = 0;
    std::int64_t most = 0;
};

}  // namespace

std::string difference_trace_table() {
    std::string table =
        "| trace | must match | reference cycles | ours | difference | reference RD / WR | ours |\n"
        "|---|---|---|---|---|---|---|\n";
    for (const GoldenTrace& trace : read_golden_traces()) {
        if (trace.match == Match::yes) continue;
        const SimulationResult result = run(trace.instructions);
        const double difference =
            static_cast<double>(result.cycles) / static_cast<double>(trace.cycles) - 1;
        table +=
            fmt::format("| `{}` | {} | {} | {} | {:+.2f} % | {} | {} |\n", trace.name,
                        trace.match == Match::near ? "near" : "no", trace.cycles, result.cycles,
                        100 * difference, accesses(trace.commands), accesses(result.commands()));
    }
    return table;
}

std::string difference_pair_table() {
    std::map<std::string, PairClass> classes;
    for (const GoldenProgram& pair : read_golden_pairs()) {
        if (pair.match != Match::no) continue;
        const auto difference = static_cast<std::int64_t>(run(pair.instructions).cycles) -
                                static_cast<std::int64_t>(pair.cycles);
        PairClass& row = classes[accesses_of(pair.instructions)];
        row.least = row.programs == 0 ? difference : std::min(row.least, difference);
        row.most = row.programs == 0 ? difference : std::max(row.most, difference);
        ++row.programs;
        row.equal += difference == 0;
    }
    std::string table =
        "| program | how many | equal | ours less the reference's, cycles |\n|---|---|---|---|\n";
    for (const auto& [name, row] : classes) {
        table += fmt::format("| {} | {} | {} | {} to {} |\n", name, row.programs, row.equal,
                             row.least, row.most);
    }
    return table;
}

std::string with_difference_tables(std::string document) {
    document = replaced(document, "traces", difference_trace_table());
    return document.empty() ? document : replaced(document, "pairs", difference_pair_table());
}

}  // namespace memside::pim
