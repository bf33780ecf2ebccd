// The worked example of PIMphony (FP16 GEMV: W0-W2, M3-M5, R6, M7 and on; static 34 cycles, DCS
// 22), with latencies as parameters because they are not published, and the sequence continued
// because the source cuts it.
#pragma once

#include <string>
#include <vector>

namespace memside::pim {

// Of WR-INP, MAC and RD-OUT; nCCDS parts two of one kind.
struct ExampleLatencies {
    int write = 1, mac = 1, read = 1, ccds = 1;
};

// One letter for each command: W, M, R. The k-th M after the last R takes input k; each run of Ms
// has its own output, which the R after it reads.
int static_cycles(const std::string& sequence, const ExampleLatencies& latencies);
int dcs_cycles(const std::string& sequence, const ExampleLatencies& latencies);

// Cycle of issue of each command, from 0.
std::vector<int> dcs_schedule(const std::string& sequence, const ExampleLatencies& latencies);

// The sequences that begin as the example does and end within four output tiles.
std::vector<std::string> example_sequences();

// Markdown: for each sequence and nCCDS 1 to 4, latencies 1 to 12, how many sets give 34 and 22.
std::string worked_example_table();

}  // namespace memside::pim
