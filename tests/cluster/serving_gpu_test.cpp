// Workloads on GPUs and the memory beside them.
#include "cluster/serving_gpu.h"

#include "cluster/toy_serving.h"
#include "cluster/toy_system.h"

namespace memside {
namespace {

using testing::HasSubstr;

SimulationRequest ask(const std::string& policy, std::vector<ServedRequest> requests) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(1, policy == "dense" || policy == "recall" ? 0 : 2);
    if (policy == "recall") add_toy_cxl(request.system, 2);
    request.policy = policy;
    request.workload = toy_workload(std::move(requests));
    request.selection.sample_pairs = 2;
    request.selection.steps = 2;
    request.selection.warmup_steps = 0;
    request.serving.granule_steps = 1;
    return request;
}

SimulationResult answer(const SimulationRequest& request) {
    auto result = simulate(request);
    EXPECT_TRUE(result.ok()) << result.error().message();
    EXPECT_EQ(result->reason, "");
    return *std::move(result);
}

const std::vector<std::string> all_policies{"dense", "recall", "pnm-kv", "png-kv"};

TEST(ServingGpu, alike_requests_with_one_token_are_the_batch_of_the_command_line) {
    for (const std::string& policy : all_policies) {
        SimulationRequest request = ask(policy, std::vector<ServedRequest>(6, {40000, 1, 0.0}));
        const SimulationResult served = answer(request);
        request.workload = {};
        request.context_tokens = 40000;
        request.batch = 6;
        const SimulationResult batch = answer(request);
        EXPECT_DOUBLE_EQ(*served.tpot_s, *batch.tpot_s) << policy;
        EXPECT_DOUBLE_EQ(*served.throughput_tok_per_s, *batch.throughput_tok_per_s);
        EXPECT_NEAR(*served.energy_j_per_token, *batch.energy_j_per_token,
                    1e-9 * *batch.energy_j_per_token);
        EXPECT_DOUBLE_EQ(*served.kv_bytes_read_per_step, *batch.kv_bytes_read_per_step);
        EXPECT_DOUBLE_EQ(*served.kv_capacity_utilization, *batch.kv_capacity_utilization);
        EXPECT_EQ(served.batch, 6);
        EXPECT_FALSE(served.ttft_s);
    }
}

TEST(ServingGpu, every_policy_puts_out_every_token) {
    for (const std::string& policy : all_policies) {
        const SimulationResult result = answer(
            ask(policy, {{40000, 3, 0.0}, {4000, 9, 0.0}, {20000, 1, 0.001}, {777, 5, 50.0}}));
        EXPECT_EQ(*result.output_tokens_total, 18) << policy;
        EXPECT_NEAR(*result.throughput_tok_per_s * *result.simulated_s, 18.0, 1e-9);
        double phases = 0.0;
        for (const PhaseTime& phase : result.phases) phases += phase.time_s;
        EXPECT_NEAR(phases, *result.tpot_s, 1e-9 * *result.tpot_s);
        double energy = 0.0;
        for (const EnergyShare& share : result.energy) energy += share.j_per_token;
        EXPECT_NEAR(energy, *result.energy_j_per_token, 1e-9 * energy);
        EXPECT_GT(*result.simulated_s, 50.0);
        EXPECT_LT(*result.gpu_utilization, 0.1);
    }
}

// All of the time without a request at idle power: 100 W of the GPU.
TEST(ServingGpu, idle_time_costs_idle_power) {
    const SimulationResult result = answer(ask("dense", {{1000, 1, 0.0}, {1000, 1, 100.0}}));
    double idle_j = 0.0;
    for (const EnergyShare& share : result.energy) {
        if (share.name == "gpu_idle") idle_j = 2 * share.j_per_token;
    }
    EXPECT_NEAR(idle_j, 100.0 * 100.0, 1.0);
}

// One GPU of 1 TB/s: weights of a step and KV of every token.
TEST(ServingGpu, no_workload_is_faster_than_the_memory) {
    const std::vector<ServedRequest> requests(20, {30000, 4, 0.0});
    const SimulationRequest request = ask("dense", requests);
    const SimulationResult result = answer(request);
    const double kv = 20 * 4 * 30001.5 * 2 * 2 * 100 * 2;
    const double weights = 4 * static_cast<double>(request.model.weights.bytes());
    EXPECT_GT(*result.simulated_s, (kv + 0.5 * weights) / 1e12);
}

TEST(ServingGpu, devices_are_loaded_evenly_when_the_longest_come_first) {
    SimulationRequest request =
        ask("pnm-kv", {{40000, 2, 0.0}, {4000, 2, 0.0}, {40000, 2, 0.0}, {4000, 2, 0.0}});
    const SimulationResult longest_first = answer(request);
    request.placement = Placement::round_robin;
    const SimulationResult turns = answer(request);
    EXPECT_NEAR(*turns.load_imbalance, 80000.0 / 44000.0, 0.01);
    EXPECT_NEAR(*longest_first.load_imbalance, 1.0, 0.01);
    EXPECT_GT(*turns.tpot_s, *longest_first.tpot_s);
    EXPECT_NEAR(*turns.kv_bytes_read_per_step, *longest_first.kv_bytes_read_per_step,
                1e-9 * *turns.kv_bytes_read_per_step);
}

TEST(ServingGpu, alike_requests_load_one_device_more_when_they_do_not_divide) {
    SimulationRequest request = ask("pnm-kv", {});
    request.context_tokens = 10000;
    request.batch = 5;
    EXPECT_DOUBLE_EQ(*answer(request).load_imbalance, 3 / 2.5);
}

// A request of a third of HBM: three run at a time.
TEST(ServingGpu, requests_wait_for_room_in_hbm) {
    SimulationRequest request = ask("dense", std::vector<ServedRequest>(7, {40000, 2, 0.0}));
    const double kv = 40002 * 2.0 * 2 * 100 * 2;
    set(request.system.components.at("gpu"), "memory_capacity",
        static_cast<double>(request.model.weights.bytes()) + 3.1 * kv);
    const SimulationResult result = answer(request);
    EXPECT_EQ(*result.largest_batch, 3);
    EXPECT_EQ(result.serving.front().waiting, 4.0);
    EXPECT_GT(*result.queue_s, 0.0);
}

TEST(ServingGpu, what_never_fits_is_told_with_its_numbers) {
    SimulationRequest request = ask("pnm-kv", {{1000, 1, 0.0}, {500000000, 1, 0.0}});
    const auto result = simulate(request);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->batch, 0);
    EXPECT_THAT(result->reason, HasSubstr("of a device"));
}

// What stays on the GPU depends on the batch; the sample of a larger batch recalls more.
TEST(ServingGpu, recall_serves_a_batch_with_a_pool_for_it) {
    SimulationRequest request = ask("recall", std::vector<ServedRequest>(8, {65536, 2, 0.0}));
    const double token = 2.0 * 2 * 100 * 2;
    set(request.system.components.at("gpu"), "memory_capacity",
        static_cast<double>(request.model.weights.bytes()) + 4.0 * 65536 * token);
    const SimulationResult many = answer(request);
    request.workload = toy_workload({{65536, 2, 0.0}});
    const SimulationResult one = answer(request);
    EXPECT_GT(*one.pool_tokens_per_request, *many.pool_tokens_per_request);
    EXPECT_GE(*many.bytes_recalled_per_step, *one.bytes_recalled_per_step);
}

}  // namespace
}  // namespace memside
