// The requests that decode together, and which memory device holds which of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

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

}  // namespace memside
