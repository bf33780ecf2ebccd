// The subcommands of `memside tune`: one file each, listed in tune_command.cpp.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "tune/tune_task.h"

namespace memside::cli {

// Each runs with the arguments after its name and returns the exit status.
int run_tune_conv(const std::vector<std::string>& arguments);
int run_tune_network(const std::vector<std::string>& arguments);
int run_tune_apply(const std::vector<std::string>& arguments);
int run_tune_truth(const std::vector<std::string>& arguments);
int run_tune_bakeoff(const std::vector<std::string>& arguments);

// What conv, network and truth have in common: what is tuned, and how it is measured.
void add_task_options(Options& options);
// The task but for its shape.
Result<tune::Task> read_task(const Options& options);
Result<tune::RunnerLimits> read_limits(const Options& options);
Result<tune::Sampling> read_sampling(const Options& options);

// What conv and network have in common: the search.
void add_search_options(Options& options);
Result<tune::TuneOptions> read_tune_options(const Options& options);

// The database of --db; null without the option.
Result<std::unique_ptr<tune::Database>> open_database(const Options& options);

// How far a search is, on standard error: on a terminal one line that is written over, elsewhere a
// line now and then.
class TuneProgress {
  public:
    // `what` begins every line: "tune conv", "tune network conv2-3x3".
    TuneProgress(std::string what, double operations);
    void show(const tune::SearchProgress& progress);
    void show(std::size_t done, std::size_t total, const std::string& unit);
    // Ends the line on a terminal.
    void finish();

  private:
    using Clock = std::chrono::steady_clock;
    void say(const std::string& text);

    std::string what_;
    double operations_;
    bool terminal_;
    bool shown_ = false;
    Clock::time_point last_ = Clock::now();
};

}  // namespace memside::cli
