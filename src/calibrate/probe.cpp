#include "calibrate/probe.h"

#include <algorithm>
#include <cassert>

#include "base/clock.h"
#include "base/median.h"

namespace memside::calibrate {

Sample sample_of(std::vector<double> values) {
    assert(!values.empty());
    std::ranges::sort(values);
    const auto quartile = [&](double share) {
        const double at = share * static_cast<double>(values.size() - 1);
        const auto low = static_cast<std::size_t>(at);
        const std::size_t high = std::min(low + 1, values.size() - 1);
        return values[low] + (at - static_cast<double>(low)) * (values[high] - values[low]);
    };
    Sample sample;
    sample.median = median(values);
    if (sample.median > 0.0) {
        sample.spread = (quartile(0.75) - quartile(0.25)) / 2.0 / sample.median;
    }
    return sample;
}

void ProbeSet::add(std::string name, std::function<double()> take) {
    probes_.push_back({std::move(name), std::move(take)});
}

std::map<std::string, Sample> ProbeSet::run(
    int turns, const std::function<void(std::size_t, std::size_t)>& taken) const {
    std::map<std::string, std::vector<double>> values;
    const std::size_t all = probes_.size() * static_cast<std::size_t>(turns + 1);
    std::size_t done = 0;
    for (int turn = 0; turn <= turns; ++turn) {
        for (const Probe& probe : probes_) {
            const double value = probe.take();
            if (turn > 0) values[probe.name].push_back(value);
            if (taken) taken(++done, all);
        }
    }
    std::map<std::string, Sample> samples;
    for (auto& [name, taken_values] : values) samples[name] = sample_of(std::move(taken_values));
    return samples;
}

double median_seconds(int repetitions, const std::function<void()>& call) {
    std::vector<double> seconds;
    for (int i = 0; i < repetitions; ++i) {
        const double begin = seconds_now();
        call();
        seconds.push_back(seconds_now() - begin);
    }
    return median(std::move(seconds));
}

}  // namespace memside::calibrate
