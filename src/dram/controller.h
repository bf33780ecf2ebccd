// A memory controller with its DRAM channel, simulated from event to event.
//
// One command bus, or two where the standard separates row and column commands. At each cycle, in
// this order of precedence and the oldest request first within each:
//   1. the column command of a request whose row has been opened for it;
//   2. refresh of a scope that is due: precharge what is open, then refresh;
//   3. FR-FCFS over the read queue (over the write queue while draining): a command that may issue
//      now goes before one that may not, and no row is closed while an older request hits it.
// A request leaves its queue with its ACT or, when it hits, with its RD or WR. While a scope is due
// for refresh, its banks serve no queued request. Writes drain from 80 % of the queue, or while no
// read waits, down to 20 %. A read of a burst that waits to be written is answered from the queue
// after one cycle; a second write of a waiting burst is merged with the first.
// A request that is accepted at cycle t may have a command at t + 1.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "dram/command.h"
#include "dram/request.h"
#include "dram/spec.h"

namespace memside::dram {

enum class RefreshMode { none, all_bank, per_bank };

struct IssuedCommand {
    Cycle cycle = 0;
    Command command = Command::act;
    int bank = 0;  // of an all-bank command: the first of its scope
    int row = 0;   // of an ACT
    bool operator==(const IssuedCommand&) const = default;
};

struct ControllerOptions {
    int read_queue = 32;
    int write_queue = 32;
    double drain_from = 0.8;  // of the write queue
    double drain_to = 0.2;
    RefreshMode refresh = RefreshMode::all_bank;
    // Statistics begin when this many requests have been served.
    std::int64_t warmup_requests = 0;
    // Where every command is noted, for tests and traces; may be null.
    std::vector<IssuedCommand>* log = nullptr;
};

// Of the requests served after the warm-up.
struct ControllerStats {
    std::int64_t reads = 0;          // served by the DRAM
    std::int64_t writes = 0;         // served by the DRAM
    std::int64_t forwarded = 0;      // reads answered from the write queue
    std::int64_t merged = 0;         // writes that replaced a waiting one
    std::int64_t row_hits = 0;       // of reads and writes served
    std::int64_t row_misses = 0;     // the bank was closed
    std::int64_t row_conflicts = 0;  // the bank had another row open
    Cycle read_latency_sum = 0;      // from acceptance to the end of the data, also forwarded reads
    Cycle read_latency_max = 0;
    // From the last column command of the warm-up (or cycle 0) to the last one of all.
    Cycle cycles = 0;
    Cycle end = 0;  // the end of the last burst, warm-up included
    std::array<std::int64_t, all_commands> commands{};

    double mean_read_latency() const {
        const auto count = reads + forwarded;
        return count == 0 ? 0.0
                          : static_cast<double>(read_latency_sum) / static_cast<double>(count);
    }
};

// Serves every request of `source`. bad_input when the standard has no such refresh or a queue has
// no room for one request.
Result<ControllerStats> simulate(const Spec& spec, const ControllerOptions& options,
                                 RequestSource& source);

}  // namespace memside::dram
