// Workloads: requests that arrive, are given their output tokens and leave. From a benchmark's
// lengths (model/length_distribution.h) or from a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/result.h"

namespace memside {

struct ServedRequest {
    std::int64_t context_tokens = 0;  // whose KV it brings along
    std::int64_t output_tokens = 0;   // after which it leaves
    double arrival_s = 0.0;

    std::int64_t last_tokens() const { return context_tokens + output_tokens; }
};

struct Workload {
    std::vector<ServedRequest> requests;  // in the order of their arrival
    std::vector<Assumption> assumptions;  // where lengths, counts and arrivals come from

    bool empty() const { return requests.empty(); }
    std::int64_t output_tokens() const;
    double mean_context() const;
    std::int64_t longest() const;  // tokens that the longest request ends with
};

struct WorkloadOptions {
    std::string source;                         // a name of length_statistics(), or a file
    std::optional<std::int64_t> requests;       // empty: 256, or all of the file
    std::optional<std::int64_t> output_tokens;  // of each; empty: 128, or the file's
    std::optional<double> arrivals_per_s;       // Poisson; empty: all at 0, or the file's
    std::uint64_t seed = 1;
};

inline constexpr std::int64_t default_workload_requests = 256;
inline constexpr std::int64_t default_output_tokens = 128;
inline constexpr std::int64_t most_workload_requests = 1'000'000;

// bad_input for an unknown source, for lines that cannot be read, for more requests than a file
// has, and for output tokens or arrivals that both an option and the file give.
Result<Workload> make_workload(const WorkloadOptions& options);

// A file: CSV with a header line that names `context_tokens`, or JSON Lines (.jsonl) of objects
// with that key. `output_tokens` and `arrival_s` (seconds from 0 on, in any order) are optional,
// but for all requests or for none; other columns and keys are ignored.
struct WorkloadFile {
    std::vector<ServedRequest> requests;  // in the file's order; 0 where it says nothing
    bool has_output = false;
    bool has_arrivals = false;
};
Result<WorkloadFile> read_workload_file(const std::string& path);
Result<WorkloadFile> parse_workload_csv(std::string_view text, const std::string& file);
Result<WorkloadFile> parse_workload_jsonl(std::string_view text, const std::string& file);

}  // namespace memside
