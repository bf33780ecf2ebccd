#include "study/runner.h"

#include <mutex>

#include "base/parallel.h"
#include "cluster/simulate.h"
#include "report/json.h"
#include "study/journal.h"

namespace memside {
namespace {

// Why a point has no figures, in a row like that of a point where nothing fits.
SimulationResult refused(const SimulationRequest& request, const Error& error) {
    SimulationResult result;
    result.model = request.model.name;
    result.system = request.system.name;
    result.policy = request.policy;
    result.context_tokens = request.context_tokens;
    result.seed = request.seed;
    result.settings = request.settings;
    result.micro_batches = 0;
    result.reason = error.message();
    return result;
}

// Finished points on their way to the journal and to whoever watches.
class Collector {
  public:
    Collector(const RunOptions& options, RunProgress progress)
        : options_(options), progress_(progress), journal_(options.journal) {
        tell();
    }

    void finish(const std::string& key, const std::string& json) {
        if (!options_.journal.empty()) {
            const Status status = journal_.append(key, json);
            const std::lock_guard lock(mutex_);
            if (!status.ok() && status_.ok()) status_ = status.error();
        }
        const std::lock_guard lock(mutex_);
        ++progress_.done;
        tell();
    }

    Status status() const { return status_; }

  private:
    void tell() const {
        if (options_.progress) options_.progress(progress_);
    }

    const RunOptions& options_;
    RunProgress progress_;
    Journal journal_;
    std::mutex mutex_;
    Status status_;
};

}  // namespace

SimulationResult run_point(const SimulationRequest& request) {
    SimulationRequest alone = request;
    alone.selection.threads = 1;
    Result<SimulationResult> result = simulate(alone);
    if (!result.ok()) return refused(request, result.error());
    result->timeline.clear();
    result->timeline.shrink_to_fit();
    result->timeline_resources.clear();
    return std::move(*result);
}

Result<std::vector<SimulationResult>> run_points(const std::vector<Point>& points,
                                                 const RunOptions& options) {
    std::map<std::string, SimulationResult> kept;
    if (options.resume && !options.journal.empty()) kept = Journal::read(options.journal);
    const std::size_t count = points.size();
    std::vector<SimulationResult> results(count);
    std::vector<std::pair<std::string, std::string>> lines(count);
    std::vector<std::size_t> open;
    std::vector<std::string> keys(count);
    parallel_for(count, options.jobs, [&](std::size_t i) {
        const auto request = read_request(points[i].settings);
        assert(request.ok());
        keys[i] = fingerprint(*request);
    });
    for (std::size_t i = 0; i < count; ++i) {
        const auto found = kept.find(keys[i]);
        if (found == kept.end()) {
            open.push_back(i);
            continue;
        }
        results[i] = found->second;
        lines[i] = {keys[i], json_line(results[i])};
    }
    if (!options.journal.empty()) {
        std::vector<std::pair<std::string, std::string>> known;
        for (const auto& line : lines) {
            if (!line.first.empty()) known.push_back(line);
        }
        MEMSIDE_CHECK(Journal::write(options.journal, known));
    }

    Collector collector(options, {count - open.size(), count - open.size(), count});
    parallel_for(open.size(), options.jobs, [&](std::size_t n) {
        const std::size_t i = open[n];
        const auto request = read_request(points[i].settings);
        assert(request.ok());
        lines[i] = {keys[i], json_line(run_point(*request))};
        // Read back, so that a kept point and one that has just run cannot differ.
        Result<SimulationResult> read = from_json(lines[i].second, "the result");
        assert(read.ok());
        results[i] = std::move(*read);
        collector.finish(lines[i].first, lines[i].second);
    });
    MEMSIDE_CHECK(collector.status());
    if (!options.journal.empty()) MEMSIDE_CHECK(Journal::write(options.journal, lines));
    return results;
}

}  // namespace memside
