// When the last requests of a channel's queue were issued, to know when a new one fits in.
#pragma once

#include <array>
#include <cstdint>

#include "pim/channel_state.h"

namespace memside::pim {

// Requests wait in a queue of 33 and are issued in order: one enters in the cycle after the 33rd
// before it was issued. Keeps as many as that takes, as runs.
class IssueHistory {
  public:
    static constexpr std::uint32_t queue_capacity = 33;

    // `count` requests were issued, the first in cycle `time`, each `apart` after the one before.
    void add(Time time, std::uint32_t count, std::uint32_t apart) {
        runs_[(first_ + runs_used_++) % runs_.size()] = {time, count, apart};
        requests_ += count;
        while (requests_ - runs_[first_].count > queue_capacity) {
            requests_ -= runs_[first_].count;
            first_ = (first_ + 1) % static_cast<std::uint32_t>(runs_.size());
            --runs_used_;
        }
    }

    // First cycle in which the newest request can have entered, as far as the queue is concerned.
    Time newest_fits() const {
        if (requests_ <= queue_capacity) return 0;
        const Run& run = runs_[first_];
        return run.time + Time{requests_ - queue_capacity - 1} * run.apart + 1;
    }

    // All have been issued so long ago that none matters.
    void clear() { first_ = runs_used_ = requests_ = 0; }

  private:
    struct Run {
        Time time = 0;
        std::uint32_t count = 0;
        std::uint32_t apart = 0;
    };
    // Each run has a request at least, and all but the first make up less than 34.
    std::array<Run, 64> runs_{};
    std::uint32_t first_ = 0;
    std::uint32_t runs_used_ = 0;
    std::uint32_t requests_ = 0;
};

}  // namespace memside::pim
