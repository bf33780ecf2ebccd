#include "pim/golden_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

#include "pim/trace_text.h"

namespace memside::pim {
namespace {

constexpr std::array<const char*, command_count> command_names = {
    "ACT",   "ACT16", "PRE",     "PREA",  "TMOD", "RD",      "WR",      "RDCP",   "WRCP",  "MAC",
    "MAC16", "AF16",  "EWMUL16", "WRA16", "WRGB", "WRMAC16", "RDMAC16", "RDAF16", "REFab", "REFpb"};

using Row = std::map<std::string, std::string>;

std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            cells.emplace_back();
        } else if (c != '\r') {
            cells.back() += c;
        }
    }
    return cells;
}

std::vector<Row> read_csv(const std::string& file) {
    std::istringstream lines(read_golden_text(file));
    std::string line;
    std::getline(lines, line);
    const std::vector<std::string> names = cells_of(line);
    std::vector<Row> rows;
    while (std::getline(lines, line)) {
        const std::vector<std::string> cells = cells_of(line);
        Row row;
        for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = cells.at(i);
        rows.push_back(row);
    }
    return rows;
}

Match match_of(const Row& row) {
    const std::string& text = row.at("must_match");
    return text == "yes" ? Match::yes : text == "near" ? Match::near : Match::no;
}

std::vector<Instruction> instructions_of(std::string lines) {
    std::replace(lines.begin(), lines.end(), '|', '\n');
    return parse_trace_text(lines);
}

}  // namespace

std::string read_golden_text(const std::string& file) {
    const std::string path = fmt::format("{}/tests/pim/golden/{}", MEMSIDE_SOURCE_DIR, file);
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error("cannot read " + path);
    std::stringstream text;
    text << stream.rdbuf();
    return text.str();
}

std::vector<GoldenTrace> read_golden_traces() {
    std::vector<GoldenTrace> traces;
    for (const Row& row : read_csv("cycles.csv")) {
        GoldenTrace trace{.name = row.at("trace"),
                          .instructions = parse_trace_text(
                              read_golden_text(fmt::format("{}.aim", row.at("trace")))),
                          .cycles = std::stoull(row.at("cycles")),
                          .reference_cpu_s = std::stod(row.at("reference_cpu_s")),
                          .match = match_of(row)};
        std::istringstream counts(row.at("commands_all_channels"));
        for (std::string count; std::getline(counts, count, ';');) {
            const std::size_t at = count.find('=');
            const auto name =
                std::find(command_names.begin(), command_names.end(), count.substr(0, at));
            trace.commands.at(static_cast<std::size_t>(name - command_names.begin())) =
                std::stoull(count.substr(at + 1));
        }
        traces.push_back(trace);
    }
    return traces;
}

std::vector<GoldenProgram> read_golden_pairs() {
    std::vector<GoldenProgram> pairs;
    for (const Row& row : read_csv("pairs.csv")) {
        pairs.push_back({row.at("trace_lines"), instructions_of(row.at("trace_lines")),
                         std::stoull(row.at("cycles")), match_of(row)});
    }
    return pairs;
}

std::vector<GoldenProgram> read_golden_programs() {
    std::vector<GoldenProgram> programs;
    for (const Row& row : read_csv("programs.csv")) {
        programs.push_back({row.at("trace_lines"), instructions_of(row.at("trace_lines")),
                            std::stoull(row.at("cycles")), Match::yes});
    }
    return programs;
}

std::string command_text(const std::array<std::uint64_t, command_count>& commands) {
    std::string text;
    for (std::size_t i = 0; i < command_count; ++i) {
        if (commands[i] == 0) continue;
        text += fmt::format("{}{}={}", text.empty() ? "" : ";", command_names[i], commands[i]);
    }
    return text;
}

}  // namespace memside::pim
