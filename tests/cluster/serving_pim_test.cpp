// Workloads on DRAM-PIM modules: what is conserved, bounds, and how full the memory is.
#include "cluster/serving_pim.h"

#include "cluster/lengths_capacity.h"
#include "cluster/pim_simulation.h"
#include "cluster/toy_pim.h"
#include "cluster/toy_serving.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

using testing::HasSubstr;

const PimDescription& description() {
    static const PimDescription read = *read_pim_description();
    return read;
}

PimOptions with(PimPartition partition, pim::Scheduler scheduler, PimAccess access) {
    PimOptions options;
    options.program.partition = partition;
    options.program.scheduler = scheduler;
    options.access = access;
    return options;
}

ServedResult toy_served(std::int64_t tp, std::int64_t pp, const PimOptions& options,
                        const Workload& workload) {
    const ModelSpec model = toy_decoder();
    const PimMachine machine = toy_modules(tp * pp, true);
    const PimPlan plan = *make_pim_plan(model, tp * pp, tp, pp);
    const auto programs = make_program_kernels(description(), options.program);
    RememberedKernels kernels(*programs, description(), options.program, "");
    const auto steps = make_pim_step_model(
        {model, machine, description(), plan, options, workload.longest(), 1e12}, kernels);
    auto result = serve(workload, *steps, {1, {}});
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result->reason, "");
    return *std::move(result);
}

std::vector<PimOptions> all_options() {
    std::vector<PimOptions> all;
    for (const PimPartition partition : {PimPartition::hfp, PimPartition::tcp}) {
        for (const pim::Scheduler scheduler :
             {pim::Scheduler::in_order, pim::Scheduler::ping_pong, pim::Scheduler::dcs}) {
            for (const PimAccess access : {PimAccess::reserved, PimAccess::chunks}) {
                all.push_back(with(partition, scheduler, access));
            }
        }
    }
    return all;
}

// A step with 4,095 tokens and the new one: whole granules of every layout.
TEST(ServingPim, every_way_of_serving_multiplies_as_much) {
    const Workload workload = toy_workload(
        {{4095, 1, 0.0}, {4095, 1, 0.0}, {4095, 1, 0.0}, {4095, 1, 1e9}, {4095, 1, 1e9}});
    const double attention_macs = 8.0 * 2 * 16 * 128 * 4096;
    for (const PimOptions& options : all_options()) {
        for (const std::int64_t tp : {1, 2, 8}) {
            const ServedResult result = toy_served(tp, 8 / tp, options, workload);
            EXPECT_EQ(result.tokens, 5);
            EXPECT_EQ(result.sums.macs, 5 * (toy_parameters() + attention_macs));
        }
    }
}

// Requests of unequal lengths: bytes of KV follow from the workload alone.
TEST(ServingPim, every_way_of_serving_reads_the_same_kv) {
    const Workload workload =
        toy_workload({{300, 3, 0.0}, {700, 5, 0.0}, {500, 2, 0.001}, {64, 4, 0.002}});
    double tokens = 0.0;
    for (const ServedRequest& request : workload.requests) {
        for (std::int64_t k = 0; k < request.output_tokens; ++k) {
            tokens += static_cast<double>(request.context_tokens + k);
        }
    }
    const double bytes = tokens * 8 * 2 * 8 * 128 * 2;
    for (const PimOptions& options : all_options()) {
        for (const std::int64_t tp : {1, 4}) {
            const ServedResult result = toy_served(tp, 4 / tp, options, workload);
            EXPECT_EQ(result.tokens, workload.output_tokens());
            EXPECT_EQ(result.sums.kv_bytes_read, bytes);
        }
    }
}

SimulationRequest ask(const std::string& model, const std::string& system,
                      const std::string& lengths, std::int64_t requests) {
    SimulationRequest request;
    request.model = *load_model(model);
    request.system = *load_system(system, {});
    request.policy = "pim";
    WorkloadOptions options;
    options.source = lengths;
    options.requests = requests;
    request.workload = *make_workload(options);
    return request;
}

SimulationResult answer(const SimulationRequest& request) {
    auto result = simulate(request);
    EXPECT_TRUE(result.ok()) << result.error().message();
    return *std::move(result);
}

// 9,727 tokens and the new one: a length at which kernels are simulated, not drawn between.
TEST(ServingPim, alike_requests_with_one_token_are_a_batch) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", "qmsum", 1);
    request.workload = toy_workload(std::vector<ServedRequest>(6, {9727, 1, 0.0}));
    const SimulationResult served = answer(request);
    request.workload = {};
    request.context_tokens = 9727;
    request.batch = 6;
    const SimulationResult batch = answer(request);
    EXPECT_EQ(served.batch, 6);
    EXPECT_EQ(*served.batch_mean, 6.0);
    EXPECT_EQ(served.context_tokens, 9727);
    EXPECT_DOUBLE_EQ(*served.tpot_s, *batch.tpot_s);
    EXPECT_DOUBLE_EQ(*served.kv_capacity_utilization, *batch.kv_capacity_utilization);
    EXPECT_NEAR(*served.energy_j_per_token, *batch.energy_j_per_token,
                1e-9 * *batch.energy_j_per_token);
    EXPECT_NEAR(*served.pim_mac_utilization, *batch.pim_mac_utilization, 1e-9);
}

TEST(ServingPim, figures_agree_with_one_another) {
    const SimulationResult result = answer(ask("llama-3.1-8b", "cent-x8", "multifieldqa", 60));
    EXPECT_EQ(*result.output_tokens_total, 60 * default_output_tokens);
    EXPECT_NEAR(*result.throughput_tok_per_s,
                static_cast<double>(*result.output_tokens_total) / *result.simulated_s, 1e-9);
    double phases = 0;
    for (const PhaseTime& phase : result.phases) phases += phase.time_s;
    EXPECT_NEAR(phases, *result.tpot_s, 1e-9 * *result.tpot_s);
    // Little: requests in the batch = tokens a second x time of a token, but for who was sent back.
    EXPECT_LE(*result.batch_mean, *result.throughput_tok_per_s * *result.tpot_s * (1 + 1e-9));
    EXPECT_GT(*result.batch_mean, *result.throughput_tok_per_s * *result.tpot_s * 0.98);
    EXPECT_DOUBLE_EQ(*result.tokens_per_usd,
                     *result.throughput_tok_per_s * 3600 / *result.usd_per_hour);
    EXPECT_FALSE(result.ttft_s);
    EXPECT_GE(result.serving.size(), 100U);
}

// 128 GiB of modules, 16.8 TB/s in each: neither weights nor KV can pass faster.
TEST(ServingPim, no_workload_is_faster_than_the_banks) {
    const SimulationRequest request = ask("qwen1.5-7b", "cent-x8", "qmsum", 40);
    const SimulationResult result = answer(request);
    double bytes = 0.0;
    for (const ServedRequest& one : request.workload.requests) {
        const auto tokens = static_cast<double>(one.output_tokens);
        const double contexts =
            tokens * (static_cast<double>(one.context_tokens) + (tokens - 1) / 2);
        bytes += tokens * request.model.fc_flops_per_token() +  // 2 bytes and 2 FLOP a weight
                 contexts * static_cast<double>(request.model.kv_bytes_per_token(16));
    }
    EXPECT_GT(*result.simulated_s, bytes / (8 * 32 * 512e9 * 1.024));
}

// The loop fills memory as kv/ alone says: the same requests, the same allocators.
TEST(ServingPim, memory_is_as_full_as_the_capacity_command_says) {
    for (const auto& [model, lengths] :
         {std::pair{"qwen1.5-7b", "qmsum"}, std::pair{"llama-3.1-8b", "multifieldqa"}}) {
        LengthsCapacityRequest capacity;
        capacity.model = *load_model(model);
        capacity.lengths = *find_length_statistics(lengths, "test");
        capacity.module_bytes = std::int64_t{16} << 30;
        capacity.modules = 8;
        capacity.chunk_bytes = 1 << 20;
        capacity.output_tokens = default_output_tokens;
        capacity.steps = 5000;
        const LengthsCapacity expected = *lengths_capacity(capacity);

        SimulationRequest request = ask(model, "cent-x8", lengths, 200);
        request.pim.tp = 8;
        request.pim.pp = 1;
        request.pim.access = PimAccess::reserved;
        const SimulationResult reserved = answer(request);
        request.pim.access = PimAccess::chunks;
        const SimulationResult chunks = answer(request);
        // Over time rather than steps, with a drained end and each module's own remainder.
        EXPECT_NEAR(*reserved.batch_mean, expected.reserved.requests, 0.3) << lengths;
        EXPECT_NEAR(*reserved.kv_capacity_utilization, expected.reserved.live_share, 0.03);
        EXPECT_NEAR(*chunks.batch_mean, expected.chunked_regions.requests,
                    0.08 * expected.chunked_regions.requests);
        EXPECT_NEAR(*chunks.kv_capacity_utilization, expected.chunked_regions.live_share, 0.05);
        EXPECT_EQ(*reserved.preemptions_per_request, 0.0);
    }
}

// What the papers say of HFP: channels of short requests wait. The tokens are the same.
TEST(ServingPim, unequal_requests_cost_hfp_more_than_tcp) {
    SimulationRequest request = ask("qwen1.5-7b", "cent-x8", "qmsum", 1);
    request.pim.tp = 8;
    request.pim.pp = 1;
    const auto slower = [&](PimPartition partition) {
        request.pim.program.partition = partition;
        request.workload = toy_workload(std::vector<ServedRequest>(6, {8192, 4, 0.0}));
        const double alike = *answer(request).tpot_s;
        request.workload = toy_workload({{4096, 4, 0.0},
                                         {4096, 4, 0.0},
                                         {4096, 4, 0.0},
                                         {4096, 4, 0.0},
                                         {16384, 4, 0.0},
                                         {16384, 4, 0.0}});
        return *answer(request).tpot_s / alike;
    };
    EXPECT_GT(slower(PimPartition::hfp), 1.2);
    EXPECT_LT(slower(PimPartition::tcp), 1.05);
}

TEST(ServingPim, shared_step_costs_are_near_to_the_exact_loop) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", "multifieldqa", 24);
    request.pim.tp = 4;
    request.pim.pp = 2;
    const SimulationResult fast = answer(request);
    request.serving.granule_steps = 1;
    const SimulationResult exact = answer(request);
    EXPECT_NEAR(*fast.simulated_s, *exact.simulated_s, 1e-3 * *exact.simulated_s);
    EXPECT_NEAR(*fast.tpot_p95_s, *exact.tpot_p95_s, 2e-3 * *exact.tpot_p95_s);
    EXPECT_NEAR(*fast.energy_j_per_token, *exact.energy_j_per_token,
                1e-3 * *exact.energy_j_per_token);
}

TEST(ServingPim, a_request_that_can_never_run_is_told) {
    SimulationRequest request = ask("qwen1.5-7b", "cent-x8", "qmsum", 4);
    request.workload = toy_workload({{1000, 1, 0.0}, {1000000, 1, 0.0}});
    const SimulationResult result = answer(request);
    EXPECT_EQ(result.batch, 0);
    EXPECT_THAT(result.reason, HasSubstr("the longest request ends with 1000001 tokens"));
    EXPECT_THAT(result.reason, HasSubstr("a module of 16 GiB holds"));
}

}  // namespace
}  // namespace memside
