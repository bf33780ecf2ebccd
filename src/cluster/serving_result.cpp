#include "cluster/serving_result.h"

#include <algorithm>
#include <cmath>

#include "cluster/cost.h"
#include "cluster/energy.h"

namespace memside {

void add_served(const Workload& workload, const ServedResult& served, ConstantReader& constants,
                SimulationResult& result) {
    constexpr double seconds_per_hour = 3600.0;
    const auto tokens = static_cast<double>(served.tokens);
    const auto steps = static_cast<double>(served.steps);
    result.requests = std::ssize(workload.requests);
    result.output_tokens_total = served.tokens;
    result.simulated_s = served.simulated_s;
    result.batch_mean = served.batch;
    result.batch = std::max<std::int64_t>(1, std::llround(served.batch));
    result.largest_batch = served.largest_batch;
    result.waiting = served.waiting;
    result.micro_batches = served.sums.micro_batches;
    result.queue_s = served.queue_s;
    result.queue_p95_s = served.queue_p95_s;
    result.preemptions_per_request =
        static_cast<double>(served.preemptions) / static_cast<double>(*result.requests);
    result.serving = served.curve;

    result.throughput_tok_per_s = tokens / served.simulated_s;
    result.tpot_s = served.tpot_s;
    result.tpot_p50_s = served.tpot_p50_s;
    result.tpot_p95_s = served.tpot_p95_s;
    result.tpot_p99_s = served.tpot_p99_s;
    result.phases = served.phases;
    result.resources = served.resources;
    result.kv_bytes_read_per_step = served.sums.kv_bytes_read / steps;
    result.kv_capacity_utilization = served.kv_live_share;
    if (result.capacity) {
        const auto devices = static_cast<double>(result.capacity->devices);
        const bool placed = result.capacity->device == "pnm";
        result.capacity->requests_per_device =
            std::max<std::int64_t>(1, std::llround(served.batch / (placed ? devices : 1.0)));
    }

    result.energy = served.energy_j;
    for (EnergyShare& share : result.energy) share.j_per_token /= tokens;
    result.energy_j_per_token = sum_of(result.energy);
    result.tokens_per_j = 1.0 / *result.energy_j_per_token;
    const Ownership owned = ownership(constants);
    result.energy_coarse_j_per_token = owned.power_w * served.simulated_s / tokens;
    result.usd_per_hour = owned.usd_per_hour();
    result.tokens_per_usd = *result.throughput_tok_per_s * seconds_per_hour / *result.usd_per_hour;
}

void add_serving_assumptions(const Workload& workload, const ServingOptions& options,
                             SimulationResult& result) {
    std::vector<Assumption>& all = result.assumptions;
    all.insert(all.end(), workload.assumptions.begin(), workload.assumptions.end());
    all.push_back({"prompts", "arrive with their KV",
                   "not modelled: prefill, and how a prompt's KV gets to where it is decoded"});
    all.push_back({"joining", "in the order of arrival",
                   options.most_requests
                       ? fmt::format("as asked for, up to {} requests", *options.most_requests)
                       : "assumed: between steps, while there is room; a request that finds none "
                         "holds up those behind it"});
    all.push_back({"no room to grow", "who came last goes back to the queue",
                   "assumed: with its KV and at no cost; preemptions_per_request counts them"});
    all.push_back({"step times", fmt::format("shared by up to {} steps", options.granule_steps),
                   "of their middle, while the same requests run"});
}

}  // namespace memside
