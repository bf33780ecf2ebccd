// The requests that decode together, and which memory device holds which of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside {

// Requests of one context length.
struct RequestGroup {
    std::int64_t context_tokens = 0;
    std::int64_t count = 0;
};
using Requests = std::vector<RequestGroup>;

std::int64_t request_count(const Requests& requests);
double mean_context(const Requests& requests);

// Mean over the requests of the tokens that a layer keeps.
double mean_kept_tokens(const ModelSpec& model, int layer, const Requests& requests);

// How requests are given to devices: longest processing time first onto the least loaded device
// (Graham, 1969), or in turn as they come.
enum class Placement { lpt, round_robin };

// Requests by device; a request's load is `load(context_tokens)`, such as its bytes. A group is
// split over devices. Requests of one length are spread evenly, the first devices taking the rest.
std::vector<Requests> place(const Requests& requests, int devices, Placement placement,
                            const std::function<double(std::int64_t)>& load);

// Reads a workload: CSV with a header line that names `context_tokens`, or JSON Lines (.jsonl) of
// objects with that key; other columns and keys are ignored. Requests keep the file's order.
Result<Requests> read_workload(const std::string& path);
Result<Requests> parse_workload_csv(std::string_view text, const std::string& file);
Result<Requests> parse_workload_jsonl(std::string_view text, const std::string& file);

}  // namespace memside
