// Which requests decode together, whether they fit, and in which parts a step takes them.
#pragma once

#include "cluster/policy.h"
#include "cluster/simulate.h"

namespace memside {

struct Admission {
    Fit fit;            // of a request of the job's context (the longest)
    Requests requests;  // the batch; empty when it does not fit
    StepShape shape;
    std::string reason;  // why nothing runs, with its numbers; else empty
};

// bad_input when options contradict each other; otherwise an Admission, perhaps with a reason.
Result<Admission> admit(const SimulationRequest& request, const Policy& policy,
                        const Hardware& hardware, const DecodeJob& job);

// Two halves of a batch, alike on every device, that take turns on GPUs and memory devices.
StepShape half_batches(const BatchPart& whole);

// Requests of the batch on the fullest device, or of the largest part on every GPU.
std::int64_t requests_on_fullest(const Admission& admission);

// KV bytes of all requests where the policy keeps them, copies counted, digests not.
double live_kv_bytes(const Policy& policy, const Hardware& hardware, const DecodeJob& job,
                     const Requests& requests);

}  // namespace memside
