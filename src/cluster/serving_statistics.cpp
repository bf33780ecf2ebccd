#include "cluster/serving_statistics.h"

#include <algorithm>
#include <cmath>

namespace memside {
namespace {

constexpr std::size_t most_points = 200;

// Adds `times` of each named figure, in the order in which names are first met.
template <typename Part>
void add_parts(const std::vector<Part>& parts, double Part::* figure, double times,
               std::vector<Part>& sums) {
    for (const Part& part : parts) {
        auto found = std::find_if(sums.begin(), sums.end(),
                                  [&](const Part& sum) { return sum.name == part.name; });
        if (found == sums.end()) found = sums.insert(sums.end(), {part.name, 0.0});
        (*found).*figure += times * part.*figure;
    }
}

// Means over equal stretches of time; `points` hold until the next one's time, the last to `end_s`.
std::vector<ServingPoint> thinned(const std::vector<ServingPoint>& points, double end_s) {
    if (points.size() <= most_points || end_s <= 0.0) return points;
    std::vector<ServingPoint> means(most_points);
    const double width_s = end_s / static_cast<double>(most_points);
    for (std::size_t i = 0; i < most_points; ++i)
        means[i].time_s = static_cast<double>(i) * width_s;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const double until_s = i + 1 < points.size() ? points[i + 1].time_s : end_s;
        auto first = static_cast<std::size_t>(points[i].time_s / width_s);
        for (std::size_t b = std::min(first, most_points - 1); b < most_points; ++b) {
            const double from = std::max(points[i].time_s, means[b].time_s);
            const double to = std::min(until_s, means[b].time_s + width_s);
            if (to > from) {
                const double share = (to - from) / width_s;
                means[b].batch += share * points[i].batch;
                means[b].waiting += share * points[i].waiting;
                means[b].kv_live_share += share * points[i].kv_live_share;
            }
            if (means[b].time_s + width_s >= until_s) break;
        }
    }
    return means;
}

}  // namespace

void WeightedSample::add(double value, std::int64_t count) {
    if (count == 0) return;
    sum_ += value * static_cast<double>(count);
    count_ += count;
    // Steps that share a cost stand together.
    if (!values_.empty() && values_.back().first == value) {
        values_.back().second += count;
        return;
    }
    values_.emplace_back(value, count);
    sorted_ = false;
}

double WeightedSample::quantile(double q) {
    if (values_.empty()) return 0.0;
    if (!sorted_) std::sort(values_.begin(), values_.end());
    sorted_ = true;
    const double wanted = q * static_cast<double>(count_);
    double passed = 0.0;
    for (const auto& [value, count] : values_) {
        passed += static_cast<double>(count);
        if (passed >= wanted) return value;
    }
    return values_.back().first;
}

void ServingStatistics::step(const StepCost& cost, std::int64_t batch, std::int64_t waiting,
                             double imbalance) {
    const auto requests = static_cast<double>(batch);
    points_.push_back({now_s_, requests, static_cast<double>(waiting), cost.kv_live_share});
    now_s_ += cost.step_s;
    busy_s_ += cost.step_s;
    // Of the difference to the first batch, so that the mean of a constant is that constant.
    if (steps_ == 0) first_batch_ = requests;
    more_s_ += (requests - first_batch_) * cost.step_s;
    waiting_s_ += static_cast<double>(waiting) * cost.step_s;
    live_s_ += cost.kv_live_share * cost.step_s;
    imbalance_s_ += imbalance * cost.step_s;
    ++steps_;
    tokens_ += batch;
    largest_batch_ = std::max(largest_batch_, batch);
    add_parts(cost.phases, &PhaseTime::time_s, requests, token_phases_);
    add_parts(cost.resources, &ResourceBusy::busy_s, requests, token_resources_);
    add_parts(cost.energy_j, &EnergyShare::j_per_token, 1.0, sums_.energy_j);
    for (double StepCost::* figure :
         {&StepCost::step_s, &StepCost::kv_bytes_read, &StepCost::digest_bytes_read,
          &StepCost::bytes_recalled, &StepCost::macs, &StepCost::mac_busy_s, &StepCost::gpu_busy_s,
          &StepCost::device_busy_s}) {
        sums_.*figure += cost.*figure;
    }
    sums_.micro_batches = std::max(sums_.micro_batches, cost.micro_batches);
}

void ServingStatistics::idle(double seconds, const std::vector<EnergyShare>& energy_j) {
    points_.push_back({now_s_, 0.0, 0.0, 0.0});
    now_s_ += seconds;
    add_parts(energy_j, &EnergyShare::j_per_token, 1.0, sums_.energy_j);
}

void ServingStatistics::finish(ServedResult& result) {
    const auto tokens = static_cast<double>(tokens_);
    result.simulated_s = now_s_;
    result.steps = steps_;
    result.tokens = tokens_;
    result.largest_batch = largest_batch_;
    result.batch = first_batch_ + (more_s_ - first_batch_ * (now_s_ - busy_s_)) / now_s_;
    result.waiting = waiting_s_ / now_s_;
    result.kv_live_share = live_s_ / now_s_;
    result.load_imbalance = imbalance_s_ / busy_s_;
    result.tpot_s = gaps_.mean();
    result.tpot_p50_s = gaps_.quantile(0.50);
    result.tpot_p95_s = gaps_.quantile(0.95);
    result.tpot_p99_s = gaps_.quantile(0.99);
    result.queue_s = queue_.mean();
    result.queue_p95_s = queue_.quantile(0.95);
    double phases_s = 0.0;
    for (PhaseTime& phase : token_phases_) phases_s += phase.time_s /= tokens;
    for (ResourceBusy& resource : token_resources_) resource.busy_s /= tokens;
    // Between two tokens of a request that was sent back it waits; sums may miss by roundings.
    if (const double away_s = result.tpot_s - phases_s; away_s > 1e-9 * result.tpot_s) {
        token_phases_.push_back({"sent back", away_s});
    }
    result.phases = std::move(token_phases_);
    result.resources = std::move(token_resources_);
    result.energy_j = sums_.energy_j;
    result.sums = std::move(sums_);
    result.curve = thinned(points_, now_s_);
}

}  // namespace memside
