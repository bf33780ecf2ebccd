// Probes: short measurements of one thing each, taken in turns. What disturbs the machine for a
// moment then disturbs one turn of all of them, and medians over turns stay comparable.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace memside::calibrate {

// What the turns of a probe gave.
struct Sample {
    double median = 0.0;
    // Half the distance between the quartiles, relative to the median: half of the turns were
    // within about that of it.
    double spread = 0.0;
};

// Of at least one value, none of them negative.
Sample sample_of(std::vector<double> values);

class ProbeSet {
  public:
    // `take` returns seconds, or whatever else the probe measures; it is called once a turn.
    void add(std::string name, std::function<double()> take);

    // A first turn that does not count, then `turns`. `taken` hears how many of all have been.
    std::map<std::string, Sample> run(
        int turns, const std::function<void(std::size_t taken, std::size_t of)>& taken) const;

  private:
    struct Probe {
        std::string name;
        std::function<double()> take;
    };
    std::vector<Probe> probes_;
};

// Median seconds of `repetitions` calls, for what is too short to be timed once.
double median_seconds(int repetitions, const std::function<void()>& call);

}  // namespace memside::calibrate
