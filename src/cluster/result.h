// The outcome of one simulation, as every output of report/ reads it. Optional fields are those
// without meaning for the policy, or not modelled yet: null in JSON, empty in CSV.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "system/system_spec.h"

namespace memside {

// A share of the critical path of a step; the shares sum to the time of the step.
struct PhaseTime {
    std::string name;
    double time_s = 0;
};

// How long a resource worked during a step. Alike resources share a row, by their mean.
struct ResourceBusy {
    std::string name;
    double busy_s = 0;
};

struct EnergyShare {
    std::string name;
    double j_per_token = 0;
};

// Something the result rests on that is not a sourced fact.
struct Assumption {
    std::string key;
    std::string value;
    std::string source;
};

// Pages of one counted step, means per request and layer.
struct PageStep {
    double selected = 0;
    double recalled = 0;
    double dropped_out = 0;  // selected at the step before, and not any more
};

// A moment of a served workload, or the mean of a stretch that starts there.
struct ServingPoint {
    double time_s = 0;
    double batch = 0;          // requests that run
    double waiting = 0;        // requests in the queue
    double kv_live_share = 0;  // live KV bytes / capacity left for KV
};

// One task of the simulated step, for the trace.
struct TimelineTask {
    std::string name;
    std::string phase;
    int resource = 0;  // index into SimulationResult::timeline_resources
    int layer = -1;    // -1: not part of a layer
    double start_s = 0;
    double duration_s = 0;
    double bytes = 0;
    double flops = 0;
    bool critical = false;
};

struct SimulationResult {
    std::string model;
    std::string system;
    std::string policy;
    std::int64_t context_tokens = 0;
    std::int64_t batch = 0;  // requests decoded together; 0 when nothing fits
    std::int64_t micro_batches = 1;
    std::optional<std::int64_t> budget_tokens;
    std::optional<std::int64_t> page_size_tokens;
    std::string kv_type;
    std::optional<std::string> digest;
    std::optional<std::string> digest_type;
    std::optional<std::int64_t> dense_layers;
    std::optional<std::int64_t> sink_pages;
    std::optional<std::int64_t> recent_pages;
    std::string overlap = "none";

    std::optional<double> throughput_tok_per_s;
    std::optional<double> tpot_s;  // time of one step = time per output token of every request
    std::optional<double> tpot_p50_s, tpot_p95_s, tpot_p99_s;
    std::optional<double> ttft_s;            // prefill and the first step, nothing else running
    std::optional<double> kv_fill_s;         // to move a prompt's KV out, if nothing hid it
    std::optional<double> prefill_energy_j;  // of one request, the whole system

    std::optional<double> energy_j_per_token;
    std::optional<double> energy_coarse_j_per_token;  // device power x time
    std::optional<double> tokens_per_j;               // by activity
    std::optional<double> usd_per_hour;               // hardware and electricity
    std::optional<double> tokens_per_usd;

    std::optional<std::int64_t> kv_bytes_per_request;
    std::optional<std::int64_t> digest_bytes_per_request;
    std::optional<double> kv_capacity_utilization;  // live KV bytes / capacity left for KV

    // Means per request and layer.
    std::optional<double> pages_selected_per_step;
    std::optional<double> pages_recalled_per_step;
    std::optional<double> pages_recalled_stderr;
    std::optional<std::int64_t> select_sample;
    std::optional<double> drop_out_rate;  // share of the selected pages that the next step drops
    std::optional<std::int64_t> pool_tokens_per_request;  // resident on the GPUs, per layer
    std::optional<double> bytes_recalled_per_step;        // whole batch, all layers
    std::optional<double> kv_bytes_read_per_step;
    std::optional<double> digest_bytes_read_per_step;

    std::optional<double> gpu_utilization;     // busy share of the step
    std::optional<double> device_utilization;  // busy share of the step, mean over the devices
    std::optional<double> load_imbalance;      // bytes on the fullest device over the mean
    std::optional<double> pim_mac_utilization;
    std::optional<std::int64_t> tp;
    std::optional<std::int64_t> pp;

    // Of a served workload (serving.h); else empty. Every figure above is then a mean: over time,
    // or over output tokens.
    std::optional<double> batch_mean;  // what outputs show as batch, which is the nearest whole
    std::optional<std::int64_t> requests;
    std::optional<std::int64_t> output_tokens_total;
    std::optional<double> simulated_s;  // until the last request leaves
    std::optional<double> queue_s;      // from arrival to joining, mean over requests
    std::optional<double> queue_p95_s;
    std::optional<double> waiting;                  // requests in the queue, time average
    std::optional<std::int64_t> largest_batch;      // of any step
    std::optional<double> preemptions_per_request;  // sent back for lack of room

    std::vector<PhaseTime> phases;
    std::vector<PhaseTime> prefill;  // shares of ttft_s
    std::vector<ResourceBusy> resources;
    std::vector<EnergyShare> energy;
    std::vector<PageStep> page_steps;
    std::vector<ServingPoint> serving;
    std::vector<Assumption> assumptions;
    std::vector<Constant> constants;  // every described constant that was read
    std::uint64_t seed = 1;
    // Options and --set pairs that make the result again, as its user wrote them.
    std::vector<std::pair<std::string, std::string>> settings;

    // Where memory goes on the device that is full first, for the message and the report.
    struct Capacity {
        std::string device;         // "pnm", "gpu"
        std::int64_t devices = 0;   // alike
        double capacity_bytes = 0;  // of one, after the reserve
        double weight_bytes = 0;    // resident on one
        double request_bytes = 0;   // KV and digests of one request, on the one or sharded
        double digest_bytes = 0;    // of request_bytes; 0 when digests are elsewhere or not counted
        std::int64_t requests_per_device = 0;  // of the batch, on the fullest one
    };
    std::optional<Capacity> capacity;
    std::string reason;  // why batch is 0, with its numbers; else empty

    std::vector<std::string> timeline_resources;
    std::vector<TimelineTask> timeline;  // one step

    // What one layer in the middle of the step does, on one device of every kind; see
    // layer_timeline.h. Kept in the JSON, where the whole timeline is not.
    struct LayerTimeline {
        std::int64_t layer = 0;
        std::vector<std::string> resources;
        std::vector<TimelineTask> tasks;  // cut to the layer's time, which starts at 0
    };
    std::optional<LayerTimeline> layer_timeline;
};

}  // namespace memside
