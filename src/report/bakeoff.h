// What a bake-off of search methods (tune/replay.h) shows: tables and one page.
#pragma once

#include <string>
#include <vector>

#include "tune/replay.h"

namespace memside {

struct Bakeoff {
    std::vector<tune::Truth> truths;
    tune::ReplayOptions options;
    std::vector<tune::Replay> replays;
    std::string command;  // that makes it again

    // What is compared with: "annealing" where it takes part, else the first method.
    std::size_t base() const;
};

// Truths where the base method's median to 99 % is below this are listed, not counted: within two
// plans of 64 there is little to learn from.
inline constexpr double least_counted_trials = 128;
inline constexpr std::size_t compared_level = 1;  // 99 %

// A row per search: truth, method, plan, seed, trials_to_95, trials_to_99, trials_to_100; a cell is
// empty where the search ended before.
std::string bakeoff_runs_csv(const Bakeoff& bakeoff);
// A row per truth, method and plan: low quartile, median and high quartile to each level.
std::string bakeoff_summary_csv(const Bakeoff& bakeoff);
// The summary, and each method's trials to 99 % as a share of the base's.
std::string bakeoff_json(const Bakeoff& bakeoff);
// The same for a terminal.
std::string bakeoff_text(const Bakeoff& bakeoff, bool colour);
// One page that works offline: the median search of each method as a curve, tables.
std::string bakeoff_page(const Bakeoff& bakeoff);

// "12 (9 to 18)": median and quartiles; "-" where it is not reached.
std::string quartile_text(const tune::Quartiles& quartiles);

}  // namespace memside
