// What decode steps read: the price of a policy, beside which its quality stands.
#pragma once

#include <cstdint>

#include "engine/decoder.h"

namespace memside::eval {

// Sums over steps; means a step.
struct ReadCost {
    std::int64_t steps = 0;
    std::int64_t kv_bytes = 0;      // all layers, those that do not select included
    std::int64_t digest_bytes = 0;  // digests that were scored

    // Takes in `count` steps whose statistics these are.
    void add(const engine::StepStatistics& statistics, std::int64_t count) {
        steps += count;
        kv_bytes += statistics.kv_bytes();
        digest_bytes += statistics.policy.digest_bytes;
    }
    void add(const ReadCost& other) {
        steps += other.steps;
        kv_bytes += other.kv_bytes;
        digest_bytes += other.digest_bytes;
    }
    double kv_bytes_per_step() const { return per_step(kv_bytes); }
    double digest_bytes_per_step() const { return per_step(digest_bytes); }

  private:
    double per_step(std::int64_t total) const {
        return steps > 0 ? static_cast<double>(total) / static_cast<double>(steps) : 0.0;
    }
};

}  // namespace memside::eval
