// From a request's arrival to its first token, when nothing else runs.
//
// All GPUs prefill one request at a time, tensor parallel, the whole prompt layer by layer. A
// layer's keys and values leave for the memory that the policy keeps them in as soon as they are
// computed, while attention of that layer and the layers that follow go on; the memory turns them
// into digests as they arrive. The step in which the request decodes its first token begins when
// all of that is done.
#pragma once

#include <vector>

#include "cluster/policy.h"
#include "cluster/result.h"

namespace memside {

struct Prefill {
    TaskGraph graph;
    Schedule schedule;
    // Of the KV alone over the slowest hop, busy all along; 0 when it stays in HBM.
    double fill_s = 0;
};

// The prefill of a request of `context` tokens; `batch` is what decodes together, for the pages
// that the policy keeps on the GPUs. Errors: a device without a unit for what it is asked.
Result<Prefill> prefill(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                        std::int64_t context, std::int64_t batch);

// Adds ttft_s, its phases, the time of the fill and the energy of a prefill to a result that has a
// tpot_s. Means over the requests when they differ in length.
Status add_prefill(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                   const Requests& requests, ConstantReader& constants, SimulationResult& result);

}  // namespace memside
