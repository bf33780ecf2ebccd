// Trials in an SQLite file: what was measured, of which task, by which search. Every trial is
// stored as it ends, so that a search which was killed goes on where it stopped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "tune/task.h"
#include "tune/trial.h"

struct sqlite3;

namespace memside::tune {

// What a search is, beside its task: the same ones propose the same candidates.
struct SearchKey {
    std::string method;
    std::uint64_t seed = 1;
    std::size_t plan = 64;
};

class Database {
  public:
    // The schema that this program writes and reads. A file of a later one is bad input.
    static constexpr int schema_version = 1;

    // Makes the file unless it is there. bad_input when it is no database of Memside's; an
    // environment Error when another process is writing to it, or the disk refuses.
    static Result<std::unique_ptr<Database>> open(const std::string& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // A search's number. With `resume` that of the last such search of the task, if there is one.
    Result<std::int64_t> begin(const Task& task, const SearchKey& key, bool resume);

    // Trials of a search by their configuration (Candidates::text()).
    Result<std::map<std::string, TrialResult>> trials(std::int64_t search);

    // Outlives this process when it returns. `number` counts from 1; a configuration is stored once
    // per search.
    Status add(std::int64_t search, std::size_t number, const std::string& config,
               const TrialResult& result);

    // The search has covered every candidate: its best is the space's.
    Status mark_exhaustive(std::int64_t search);

    // The fastest configuration of every task, in the order in which tasks were first tuned.
    struct Best {
        Task task;
        std::string config;
        double time_ns = 0;
    };
    Result<std::vector<Best>> best();
    // The time of the best candidate of a task's whole space; nothing before a search covered it.
    Result<std::optional<double>> exhaustive_best_ns(const Task& task);

  private:
    explicit Database(std::string path) : path_(std::move(path)) {}
    class Statement;
    Error failure() const;
    Status run(const std::string& sql);
    Status prepare_schema();
    Result<std::int64_t> task_id(const Task& task);

    std::string path_;
    sqlite3* handle_ = nullptr;
};

}  // namespace memside::tune
