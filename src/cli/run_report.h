// What memside run says at its end: statistics for a person, and JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/generate.h"
#include "engine/kv_policy.h"
#include "engine/page_sets.h"
#include "report/json_writer.h"

namespace memside::cli {

// Decode steps under a policy and what they took and read.
struct DecodeReport {
    engine::KvPolicy policy;
    std::int64_t steps = 0;
    double decode_s = 0.0;
    engine::StepStatistics statistics;
    std::string kernels;
    // Of a file tier.
    bool reads_file = false;
    std::int64_t kv_memory_bytes = 0;
    std::int64_t kv_file_bytes = 0;

    void set_store(const engine::KvMemory& memory);
    double tok_per_s() const;
    double per_step(std::int64_t total) const;
    // Mean of a page set of a selecting layer in one step, as in `simulate`.
    double per_set(std::int64_t total) const;
    // Digests read for a KV head of a selecting layer in one step, a mean.
    double pages_scanned() const;
    // The share of the bytes attended that need not be read from the file.
    double pool_hit_rate() const;
    // Of the steps' time.
    double share(double seconds) const;
};

// The members that `run` and `bench decode` have in common.
void write_decode_members(JsonWriter& json, const DecodeReport& report);

// What a person wants to know of those steps, a line each.
std::vector<std::string> describe_decode(const DecodeReport& report);

std::int64_t peak_rss_bytes();

}  // namespace memside::cli
