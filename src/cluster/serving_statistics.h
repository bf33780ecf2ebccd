// What serve() counts while it runs. Internal to the serving loop.
#pragma once

#include <utility>
#include <vector>

#include "cluster/serving.h"

namespace memside {

// A sample in which values may stand for many.
class WeightedSample {
  public:
    void add(double value, std::int64_t count);
    double mean() const { return sum_ / static_cast<double>(count_); }
    // The smallest value that a share of at least `q` does not exceed; 0 of an empty sample.
    double quantile(double q);

  private:
    std::vector<std::pair<double, std::int64_t>> values_;
    double sum_ = 0.0;
    std::int64_t count_ = 0;
    bool sorted_ = true;
};

class ServingStatistics {
  public:
    // A step of `batch` requests, `waiting` others in the queue.
    void step(const StepCost& cost, std::int64_t batch, std::int64_t waiting, double imbalance);
    // Nothing runs and nobody waits.
    void idle(double seconds, const std::vector<EnergyShare>& energy_j);
    // An output token that came `gap_s` after the one before or after its request's join; `count`
    // of them.
    void tokens(double gap_s, std::int64_t count) { gaps_.add(gap_s, count); }
    void queued(double seconds) { queue_.add(seconds, 1); }

    // Divides, sorts and thins out; `simulated_s`, `preemptions` and `requests` are the caller's.
    void finish(ServedResult& result);

  private:
    double now_s_ = 0.0;
    double busy_s_ = 0.0;
    double first_batch_ = 0.0;
    double more_s_ = 0.0;  // sums of a figure x time; of what a batch is above the first
    double waiting_s_ = 0.0;
    double live_s_ = 0.0;
    double imbalance_s_ = 0.0;
    std::int64_t steps_ = 0;
    std::int64_t tokens_ = 0;
    std::int64_t largest_batch_ = 0;
    StepCost sums_;
    std::vector<PhaseTime> token_phases_;  // sums over output tokens
    std::vector<ResourceBusy> token_resources_;
    WeightedSample gaps_;
    WeightedSample queue_;
    std::vector<ServingPoint> points_;  // time_s: start; until the next one's
};

}  // namespace memside
