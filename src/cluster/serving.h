// Continuous batching: requests wait in the order of their arrival, join while there is room, take
// part in every step until they have their output tokens, and leave.
//
// A step gives each running request a token and needs room for it. A request that finds none makes
// the one that came in last go back to the head of the queue with its KV, as engines do that
// reserve nothing ahead (kv/capacity_use.h has the same rule); it joins again when there is room.
#pragma once

#include <memory>

#include "cluster/result.h"
#include "cluster/serving_memory.h"
#include "cluster/workload.h"

namespace memside {

struct ActiveRequest {
    kv::RequestId id = 0;     // its place in the workload
    std::int64_t tokens = 0;  // that it holds before the step
};

// What one decode step of the running requests takes.
struct StepCost {
    double step_s = 0.0;
    std::vector<PhaseTime> phases;  // sum to step_s
    std::vector<ResourceBusy> resources;
    std::vector<EnergyShare> energy_j;  // J of the whole step, not of a token
    double kv_bytes_read = 0.0;
    double digest_bytes_read = 0.0;
    double bytes_recalled = 0.0;
    double macs = 0.0;               // of the banks
    double mac_busy_s = 0.0;         // of all MAC units together
    double gpu_busy_s = 0.0;         // mean over the GPUs
    double device_busy_s = 0.0;      // mean over the memory devices
    double kv_live_share = 0.0;      // live KV bytes / capacity left for KV
    std::int64_t micro_batches = 1;  // groups that the requests were dealt to
};

// What a policy does to serve: the memory that it fills and the time of its steps.
class StepModel {
  public:
    virtual ~StepModel() = default;
    virtual ServingMemory& memory() = 0;
    // At least one request.
    virtual Result<StepCost> step(const std::vector<ActiveRequest>& running) = 0;
    // J by part while nothing runs for `seconds`.
    virtual std::vector<EnergyShare> idle_energy_j(double seconds) = 0;
};

struct ServingOptions {
    // Steps that share a cost, that of their middle, while the same requests run. 1: every step has
    // its own. Contexts are thousands of tokens long: a few more or less are next to nothing.
    std::int64_t granule_steps = 32;
    std::optional<std::int64_t> most_requests;  // that run together; empty: as memory allows
};

struct ServedRequestTimes {
    double join_s = 0.0;  // first
    double end_s = 0.0;
    double running_s = 0.0;  // end - join without the time for which it was sent back
};

// Averages are over the simulated time unless they say otherwise.
struct ServedResult {
    std::string reason;      // why a request can never run, with its numbers; else empty
    double simulated_s = 0;  // until the last request leaves
    std::int64_t steps = 0;
    std::int64_t tokens = 0;  // that were put out
    std::int64_t preemptions = 0;
    double batch = 0.0;
    double waiting = 0.0;  // requests in the queue
    std::int64_t largest_batch = 0;
    double kv_live_share = 0.0;
    double load_imbalance = 1.0;                                        // over the time of steps
    double tpot_s = 0, tpot_p50_s = 0, tpot_p95_s = 0, tpot_p99_s = 0;  // over output tokens
    double queue_s = 0, queue_p95_s = 0;  // from arrival to the first join, over requests
    StepCost sums;                        // over all steps; phases and resources: see below
    // As an output token meets them: means over output tokens. Phases sum to tpot_s.
    std::vector<PhaseTime> phases;
    std::vector<ResourceBusy> resources;
    std::vector<EnergyShare> energy_j;  // of all steps and what lies between them
    std::vector<ServingPoint> curve;
    std::vector<ServedRequestTimes> requests;  // in the workload's order
};

// Serves the workload to its end. A request that does not fit an empty memory is a `reason`.
Result<ServedResult> serve(const Workload& workload, StepModel& model,
                           const ServingOptions& options = {});

}  // namespace memside
