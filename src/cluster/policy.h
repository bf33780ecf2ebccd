// A policy decides where the KV cache lives, which pages a step touches, and what runs where.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/hardware.h"
#include "cluster/result.h"
#include "cluster/task_graph.h"
#include "kv/layout.h"
#include "model/model_spec.h"

namespace memside {

// What is decoded: every request of the batch holds `context_tokens`.
struct DecodeJob {
    const ModelSpec& model;
    std::int64_t context_tokens = 0;
    std::int64_t budget_tokens = 0;  // attended per selecting layer
    kv::PageFormat format;
};

// How many requests fit, and what the limit is made of.
struct Fit {
    SimulationResult::Capacity capacity;
    std::int64_t max_batch = 0;
    std::string reason;  // when max_batch is 0: the numbers, and what would help
    kv::RequestBytes request;
    double kv_capacity_bytes = 0;  // of the whole system, left for KV
    double kv_request_bytes = 0;   // KV of one request there, copies counted, digests not
};

// One decode step, ready to run.
struct StepPlan {
    TaskGraph graph;
    double gpu_energy_j = 0;     // above idle, all GPUs
    double device_energy_j = 0;  // above idle, all devices
    double link_energy_j = 0;
    double kv_bytes_read = 0;              // whole batch, all layers
    double digest_bytes_read = 0;          // likewise
    std::optional<double> pages_selected;  // mean per request and layer
    std::optional<double> pages_recalled;  // likewise
};

class Policy {
  public:
    virtual ~Policy() = default;
    virtual std::string_view name() const = 0;
    virtual std::string_view summary() const = 0;  // one line for `memside list policies`
    virtual bool selects_pages() const = 0;

    // bad_input with the reason when the system lacks what the policy needs.
    virtual Status supports(const SystemSpec& system) const = 0;
    virtual bool uses_pnm() const = 0;
    virtual Fit fit(const Hardware& hardware, const DecodeJob& job) const = 0;

    // `batch` is at least 1 and at most fit().max_batch.
    virtual Result<StepPlan> plan(const Hardware& hardware, const DecodeJob& job,
                                  std::int64_t batch) const = 0;
};

// Every policy that runs, in the order of the command line's documentation.
const std::vector<std::unique_ptr<Policy>>& policies();

// The policy of that name. Known names that are not modelled yet say so; others get a suggestion.
Result<const Policy*> find_policy(const std::string& name);

std::unique_ptr<Policy> make_dense_policy();
std::unique_ptr<Policy> make_pnm_kv_policy();

}  // namespace memside
