// A policy decides where the KV cache lives, which pages a step touches, and what runs where.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/batch.h"
#include "cluster/fc_layer.h"
#include "cluster/hardware.h"
#include "cluster/pim_kernels.h"
#include "cluster/result.h"
#include "cluster/selection.h"
#include "cluster/task_graph.h"
#include "kv/layout.h"
#include "kv/micro_batch.h"
#include "model/model_spec.h"

namespace memside {

// What is decoded.
struct DecodeJob {
    const ModelSpec& model;
    std::int64_t context_tokens = 0;           // of every request; of the longest when they differ
    std::optional<std::int64_t> fixed_budget;  // --budget; empty: a quarter of a request's context
    kv::PageFormat format;
    Placement placement = Placement::lpt;

    // Tokens that a request of that context attends per selecting layer.
    std::int64_t budget_tokens(std::int64_t context) const;
    std::int64_t budget_pages(std::int64_t context) const;
};

// How many requests fit, and what the limit is made of.
struct Fit {
    SimulationResult::Capacity capacity;
    std::int64_t max_batch = 0;
    std::string reason;  // when max_batch is 0: the numbers, and what would help
    kv::RequestBytes request;
    double kv_capacity_bytes = 0;  // of the whole system, left for KV
    double kv_request_bytes = 0;   // KV of one request there, copies counted, digests not
    // A larger batch than max_batch, up to this one, runs as micro-batches. 0: none does.
    std::int64_t max_split_batch = 0;
};

// What page selection counted, per request and selecting layer, relative to a request's size: so
// that a sample of requests speaks for requests of other lengths.
struct PageShares {
    double scanned = 0;   // of the pages of its context
    double selected = 0;  // of the pages of its budget, as are the next two
    double recalled = 0;
    double in_pool = 0;  // selected pages that are resident on the GPU when they are attended
};

// Pages of one request, from the shares.
struct PageCounts {
    double scanned = 0;
    double selected = 0;
    double recalled = 0;
    double in_pool = 0;
};
PageCounts page_counts(const DecodeJob& job, const PageShares& shares, std::int64_t context);

// Some of the batch's requests, decoded together.
struct BatchPart {
    Requests requests;
    std::vector<Requests> by_device;  // the same by memory device, where a policy places them
};

// How a step goes through its batch.
struct StepShape {
    std::vector<BatchPart> parts;
    bool sequential = false;  // micro-batches: a part starts when the one before has ended
};

// One decode step, ready to run.
struct StepPlan {
    TaskGraph graph;
    double kv_bytes_read = 0;      // whole batch, all layers
    double digest_bytes_read = 0;  // likewise
    double bytes_recalled = 0;     // likewise
    PimKernelTime pim_kernels;     // of the modules beside GPUs, all together
};

// The attention of one step under a policy: adds its tasks layer by layer.
class AttentionSide {
  public:
    virtual ~AttentionSide() = default;

    // Attention of a part in one layer, ready after `qkv`; returns the tasks after which the GPUs
    // have its output.
    virtual Result<std::vector<TaskId>> attend(FcBuilder& fc, int layer, const BatchPart& part,
                                               TaskId qkv) = 0;
};

// What DRAM-PIM modules beside GPUs add to a step.
struct ModuleShare {
    std::vector<EnergyShare> energy;  // J of the step by part: what ran, and standby besides
    std::optional<double> mac_utilization;
};

class Policy {
  public:
    virtual ~Policy() = default;
    virtual std::string_view name() const = 0;
    virtual std::string_view summary() const = 0;  // one line for `memside list policies`
    virtual bool selects_pages() const = 0;
    // Whether it can be asked to: it takes the options of selection.
    virtual bool may_select_pages() const { return selects_pages(); }

    // bad_input with the reason when the system lacks what the policy needs.
    virtual Status supports(const SystemSpec& system) const = 0;
    virtual bool uses_pnm() const { return false; }
    virtual bool uses_cxl() const { return false; }
    // Modules without GPUs are simulate_on_pim()'s; beside GPUs see gpu_pim.h.
    virtual bool uses_pim() const { return false; }
    virtual Fit fit(const Hardware& hardware, const DecodeJob& job) const = 0;

    // The parts that residency forces on a batch; one part unless the policy says otherwise.
    virtual kv::MicroBatches micro_batches(const Hardware& hardware, const DecodeJob& job,
                                           std::int64_t batch) const;

    // What a selecting policy keeps on the GPU for a batch.
    virtual ResidencySetup residency(const Hardware& hardware, const DecodeJob& job,
                                     std::int64_t batch) const;

    // The attention of a step that goes into `step`.
    virtual std::unique_ptr<AttentionSide> attention(StepPlan& step, const Hardware& hardware,
                                                     const DecodeJob& job,
                                                     const PageShares& pages) const = 0;

    // Of a step of `step_s` that plan() made; nothing without such modules.
    virtual ModuleShare modules(const Hardware&, const StepPlan&, double /*step_s*/) const {
        return {};
    }

    // The whole step: for every part of the batch, layer after layer, FC on the GPUs and attention
    // where the policy puts it.
    Result<StepPlan> plan(const Hardware& hardware, const DecodeJob& job, const PageShares& pages,
                          const StepShape& shape) const;
};

// Every policy that runs, in the order of the command line's documentation.
const std::vector<std::unique_ptr<Policy>>& policies();

// The policy of that name; for other names a suggestion.
Result<const Policy*> find_policy(const std::string& name);

std::unique_ptr<Policy> make_dense_policy();
std::unique_ptr<Policy> make_recall_policy();
std::unique_ptr<Policy> make_pnm_kv_policy();
std::unique_ptr<Policy> make_png_kv_policy();
std::unique_ptr<Policy> make_pim_policy();

}  // namespace memside
