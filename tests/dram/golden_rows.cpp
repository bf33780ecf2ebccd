#include "dram/golden_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

#include "dram/controller.h"
#include "dram/specs.h"
#include "dram/traffic.h"

namespace memside::dram {
namespace {

// The description of each standard of the file, and the read queue of its runs.
struct Setup {
    const char* spec;
    int read_queue;
};
const std::map<std::string, Setup>& setups() {
    static const std::map<std::string, Setup> table = {{"DDR5", {"ddr5-4800", 32}},
                                                       {"GDDR6", {"gddr6-14000", 32}},
                                                       {"HBM2", {"hbm2-2000", 64}},
                                                       {"HBM3", {"hbm3-6400", 128}},
                                                       {"LPDDR5", {"lpddr5-6400", 32}}};
    return table;
}

}  // namespace

std::vector<GoldenRow> read_golden_rows() {
    std::ifstream file(std::string(MEMSIDE_SOURCE_DIR) + "/tests/dram/golden/ramulator2.csv");
    std::vector<GoldenRow> rows;
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);) {
        std::map<std::string, std::string> fields;
        std::stringstream stream(line);
        std::vector<std::string> cells;
        for (std::string cell; std::getline(stream, cell, ',');) cells.push_back(cell);
        if (names.empty()) {
            names = cells;
            continue;
        }
        for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) {
            fields[names[i]] = cells[i];
        }
        rows.push_back({fields["standard"], fields["pattern"] == "random_read",
                        fields["refresh"] == "True", std::stod(fields["bandwidth_GBps_1channel"]),
                        std::stod(fields["avg_read_latency_cycles"]),
                        std::stod(fields["requests_per_cpu_s"])});
    }
    return rows;
}

GoldenComparison compare(const GoldenRow& row) {
    const Setup& setup = setups().at(row.standard);
    const Spec spec = shipped(setup.spec);
    ControllerOptions options;
    options.read_queue = setup.read_queue;
    options.refresh = row.refresh ? RefreshMode::all_bank : RefreshMode::none;
    // The sequential runs were measured after a warm-up of 10,000 cycles (no row misses without
    // refresh), the random ones from the start (one miss per bank).
    options.warmup_requests = row.random ? 0 : 10'000;
    const std::int64_t requests = row.random ? 50'000 : 100'000 + options.warmup_requests;
    RandomBursts random(spec, requests, 12345);
    InterleavedSweep sweep(spec, requests, true);
    const std::clock_t start = std::clock();
    const auto result =
        simulate(spec, options, row.random ? static_cast<RequestSource&>(random) : sweep);
    const std::clock_t spent = std::max<std::clock_t>(std::clock() - start, 1);
    GoldenComparison comparison;
    comparison.theirs = row;
    if (!result.ok()) {
        ADD_FAILURE() << result.error().message();
        return comparison;
    }
    comparison.bandwidth_gbps = static_cast<double>(result->reads) * spec.burst_bytes /
                                (static_cast<double>(result->cycles) * spec.tick_ns);
    comparison.latency_cycles = result->mean_read_latency();
    comparison.requests_per_cpu_s =
        static_cast<double>(requests) * CLOCKS_PER_SEC / static_cast<double>(spent);
    return comparison;
}

namespace {

// "+0.12 %"; what rounds to nothing has no sign, so that the last bit of a double does not show.
std::string percent(double ratio) {
    if (std::abs(ratio) < 5e-5) return "0.00 %";
    return fmt::format("{:+.2f} %", 100 * ratio);
}

}  // namespace

std::string accuracy_table(const std::vector<GoldenComparison>& comparisons) {
    std::string table =
        "| standard | stream | refresh | Ramulator GB/s | ours | deviation | Ramulator latency "
        "(cycles) | ours | deviation |\n|---|---|---|---|---|---|---|---|---|\n";
    for (const GoldenComparison& row : comparisons) {
        table += fmt::format(
            "| {} | {} | {} | {:.3f} | {:.3f} | {} | {:.1f} | {:.1f} | {} |\n", row.theirs.standard,
            row.theirs.random ? "random" : "sequential", row.theirs.refresh ? "all-bank" : "none",
            row.theirs.bandwidth_gbps, row.bandwidth_gbps, percent(row.bandwidth_deviation()),
            row.theirs.latency_cycles, row.latency_cycles, percent(row.latency_deviation()));
    }
    return table;
}

std::string speed_table(const std::vector<GoldenComparison>& comparisons) {
    std::string table =
        "| standard | stream | refresh | Ramulator requests per CPU second | ours | ratio |\n"
        "|---|---|---|---|---|---|\n";
    for (const GoldenComparison& row : comparisons) {
        table += fmt::format("| {} | {} | {} | {:.0f} | {:.0f} | {:.0f} |\n", row.theirs.standard,
                             row.theirs.random ? "random" : "sequential",
                             row.theirs.refresh ? "all-bank" : "none",
                             row.theirs.requests_per_cpu_s, row.requests_per_cpu_s,
                             row.requests_per_cpu_s / row.theirs.requests_per_cpu_s);
    }
    return table;
}

std::string replace_table(const std::string& document, const std::string& table_name,
                          const std::string& table) {
    const std::string begin = fmt::format("<!-- {}: begin -->\n", table_name);
    const std::string end = fmt::format("<!-- {}: end -->", table_name);
    const std::size_t from = document.find(begin);
    const std::size_t to = document.find(end);
    if (from == std::string::npos || to == std::string::npos) return "";
    return document.substr(0, from + begin.size()) + table + document.substr(to);
}

std::string read_text(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace memside::dram
