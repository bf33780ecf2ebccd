// The 20 rows of tests/dram/golden/ramulator2.csv, and what our simulator makes of the same runs.
#pragma once

#include <string>
#include <vector>

namespace memside::dram {

struct GoldenRow {
    std::string standard;  // "LPDDR5"
    bool random = false;
    bool refresh = false;
    double bandwidth_gbps = 0;
    double latency_cycles = 0;
    double requests_per_cpu_s = 0;
};

struct GoldenComparison {
    GoldenRow theirs;
    double bandwidth_gbps = 0;
    double latency_cycles = 0;
    double requests_per_cpu_s = 0;

    double bandwidth_deviation() const { return bandwidth_gbps / theirs.bandwidth_gbps - 1; }
    double latency_deviation() const { return latency_cycles / theirs.latency_cycles - 1; }
};

std::vector<GoldenRow> read_golden_rows();

// Simulates the run behind a row; docs/dram.md says how its traffic and queues were inferred.
GoldenComparison compare(const GoldenRow& row);

// The two tables of docs/dram.md. Accuracy is the same on every machine; speed is not.
std::string accuracy_table(const std::vector<GoldenComparison>& comparisons);
std::string speed_table(const std::vector<GoldenComparison>& comparisons);

// The text between "<!-- NAME: begin -->" and "<!-- NAME: end -->", replaced by `table`; empty when
// the marks are missing.
std::string replace_table(const std::string& document, const std::string& table_name,
                          const std::string& table);

std::string read_text(const std::string& path);

}  // namespace memside::dram
