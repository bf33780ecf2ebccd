// What a device model asks of the DRAM: how long a stream over many channels takes, and what it
// costs.
//
// Requests enter as fast as the queues take them. Channels are independent and alike, so only the
// one with most to do is simulated; the stream ends when it does.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "dram/controller.h"
#include "dram/energy.h"
#include "dram/spec.h"

namespace memside::dram {

enum class Pattern {
    sequential,  // ascending addresses from 0
    pages,       // pieces of `page_bytes` at random multiples of it, ascending inside
    random,      // single bursts at random
};

struct StreamRequest {
    Pattern pattern = Pattern::sequential;
    std::uint64_t bytes = 0;       // over all channels, rounded up to bursts or pages; at least 1
    std::uint64_t page_bytes = 0;  // of Pattern::pages: a power of two of at least a burst
    bool write = false;
    int channels = 1;     // a power of two
    std::string mapping;  // see AddressMapping; empty: default_mapping
    RefreshMode refresh = RefreshMode::all_bank;
    // Entries of a channel's read and write queue; 0: 32 for each pseudo-channel.
    int queue = 0;
    std::uint64_t seed = 1;
    // A longer stream goes on at the rate, and the energy, of the second half of this many bursts
    // of the simulated channel.
    std::int64_t simulated_bursts = 100'000;
};

struct StreamResult {
    double time_s = 0;                 // to the end of the last burst
    double bandwidth_bytes_per_s = 0;  // all channels
    double efficiency = 0;             // of the peak of all channels
    double mean_read_latency_s = 0;    // queueing included; 0 for writes
    double row_hit_ratio = 0;
    double imbalance = 1;    // bursts of the busiest channel over those of the mean one
    EnergyBreakdown energy;  // all channels
    bool extrapolated = false;
};

// "RoRaBaCoBg1ChBg1Co3" or its like. Eight neighbouring bursts share a row, so that pages of a few
// KiB over many channels still hit rows; two bank groups alternate within a channel; a row is read
// to its end before the next bank. With pseudo-channels (last, "Co2Pc") four bursts share a row.
std::string default_mapping(const Spec& spec);

// bad_input names the field of the request that is wrong.
Result<StreamResult> simulate_stream(const Spec& spec, const StreamRequest& request);

}  // namespace memside::dram
