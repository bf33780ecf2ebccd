// `simulate --policy pim` on the shipped systems.
#include "cluster/pim_simulation.h"

#include <numeric>

#include "cluster/pim_layer.h"
#include "cluster/policy.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

using testing::HasSubstr;

SimulationRequest ask(const std::string& model, const std::string& system, std::int64_t context,
                      const std::vector<std::pair<std::string, std::string>>& set = {}) {
    SimulationRequest request;
    request.model = *load_model(model);
    request.system = *load_system(system, set);
    request.policy = "pim";
    request.context_tokens = context;
    return request;
}

SimulationResult answer(const SimulationRequest& request) {
    auto result = simulate(request);
    EXPECT_TRUE(result.ok()) << result.error().message();
    return *std::move(result);
}

std::string refusal(const SimulationRequest& request) {
    const auto result = simulate(request);
    if (result.ok()) return "simulated";
    EXPECT_EQ(result.error().exit_status(), 2);
    return result.error().message();
}

TEST(PimSimulation, figures_of_a_step_agree_with_one_another) {
    for (const char* system : {"cent-x8", "neupims-x4"}) {
        const SimulationResult result = answer(ask("llama-3.1-8b", system, 32768));
        EXPECT_EQ(*result.tp * *result.pp, std::string_view(system) == "cent-x8" ? 8 : 4);
        const double phases =
            std::accumulate(result.phases.begin(), result.phases.end(), 0.0,
                            [](double sum, const PhaseTime& phase) { return sum + phase.time_s; });
        EXPECT_NEAR(phases, *result.tpot_s, 1e-9 * *result.tpot_s);
        EXPECT_DOUBLE_EQ(*result.throughput_tok_per_s,
                         static_cast<double>(result.batch) / *result.tpot_s);
        double energy = 0;
        for (const EnergyShare& share : result.energy) {
            EXPECT_GE(share.j_per_token, 0) << share.name;
            energy += share.j_per_token;
        }
        EXPECT_NEAR(energy, *result.energy_j_per_token, 1e-9 * energy);
        EXPECT_DOUBLE_EQ(*result.tokens_per_usd,
                         *result.throughput_tok_per_s * 3600 / *result.usd_per_hour);
        EXPECT_GT(*result.kv_capacity_utilization, 0.5);
        EXPECT_LE(*result.kv_capacity_utilization, 1.0);
        EXPECT_FALSE(result.ttft_s);  // prefill is not modelled
    }
}

// 128 GiB of modules, 16 TB/s in each: neither weights nor KV can pass faster.
TEST(PimSimulation, no_step_is_faster_than_the_banks) {
    const SimulationResult result = answer(ask("llama-3.1-8b", "cent-x8", 32768));
    const ModelSpec model = *load_model("llama-3.1-8b");
    const double bytes = static_cast<double>(result.batch) *
                         (model.fc_flops_per_token() +  // 2 bytes and 2 FLOP a weight
                          static_cast<double>(*result.kv_bytes_per_request));
    EXPECT_GT(*result.tpot_s, bytes / (8 * 32 * 512e9 * 1.024));
}

TEST(PimSimulation, the_best_pair_is_no_slower_than_any) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", 16384);
    const SimulationResult best = answer(request);
    for (const std::int64_t tp : {1, 2, 4, 8}) {
        request.pim.tp = tp;
        request.pim.pp = 8 / tp;
        EXPECT_LE(*answer(request).throughput_tok_per_s, *best.throughput_tok_per_s) << tp;
    }
}

// The techniques of PIMphony, one after the other, on its 7B model with grouped queries.
TEST(PimSimulation, each_technique_decodes_more_tokens) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", 32768);
    request.pim.program = {PimPartition::hfp, pim::Scheduler::in_order, false, true};
    request.pim.access = PimAccess::reserved;
    double before = *answer(request).throughput_tok_per_s;
    const auto faster = [&](const auto& change) {
        change(request.pim);
        const double now = *answer(request).throughput_tok_per_s;
        EXPECT_GT(now, before);
        before = now;
    };
    faster([](PimOptions& pim) { pim.program.partition = PimPartition::tcp; });
    faster([](PimOptions& pim) { pim.program.scheduler = pim::Scheduler::ping_pong; });
    faster([](PimOptions& pim) { pim.program.scheduler = pim::Scheduler::dcs; });
    faster([](PimOptions& pim) { pim.program.row_reuse = true; });
    faster([](PimOptions& pim) { pim.access = PimAccess::chunks; });
}

TEST(PimSimulation, what_does_not_fit_is_told_with_its_numbers) {
    SimulationRequest request = ask("llama-3.1-70b", "cent-x8", 32768);
    SimulationResult result = answer(request);
    EXPECT_EQ(result.batch, 0);
    EXPECT_FALSE(result.tpot_s);
    EXPECT_THAT(result.reason, HasSubstr("no request of 32K fits: a module of 16 GiB"));
    request = ask("llama-3.1-8b", "cent-x8", 32768);
    request.batch = 1000;
    result = answer(request);
    EXPECT_EQ(result.batch, 0);
    EXPECT_THAT(result.reason, HasSubstr("a batch of 1000 was asked for"));
}

// One request has 8 pairs of head and request for the 32 channels of its module; FC has all.
TEST(PimSimulation, channels_without_a_pair_idle) {
    SimulationRequest request =
        ask("llama-3.1-8b", "cent-x1", 2048, {{"pim.memory_capacity", "32 GiB"}});
    request.batch = 1;
    const auto open_share = [&](PimPartition partition) {
        request.pim.program.partition = partition;
        const SimulationResult result = answer(request);
        double kernels_s = 0;
        for (const PhaseTime& phase : result.phases) {
            if (phase.name != "vector" && phase.name != "link") kernels_s += phase.time_s;
        }
        const double fc_s = result.phases[static_cast<std::size_t>(PimPhase::fc)].time_s;
        const double open_s = result.resources.back().busy_s;
        return (open_s - fc_s) / (kernels_s - fc_s);
    };
    EXPECT_NEAR(open_share(PimPartition::tcp), 1.0, 1e-9);
    EXPECT_NEAR(open_share(PimPartition::hfp), 8.0 / 32, 1e-9);
}

TEST(PimSimulation, what_is_not_modelled_is_refused_by_name) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", 1024);
    request.half_batches = true;
    EXPECT_THAT(refusal(request), HasSubstr("--overlap"));
    request = ask("llama-3.1-8b", "cent-x8", 1024);
    request.format.value_type = kv::ValueType::int8;
    EXPECT_THAT(refusal(request), HasSubstr("--kv-type"));
    EXPECT_THAT(refusal(ask("gemma-3-4b", "cent-x4", 1024)), HasSubstr("sliding-window"));
    EXPECT_THAT(refusal(ask("llama-3.1-8b", "cent-x8", 1024, {{"cost.include_host", "true"}})),
                HasSubstr("include_host"));
    EXPECT_THAT(refusal(ask("llama-3.1-8b", "a100x1", 1024)), HasSubstr("needs DRAM-PIM modules"));
    // 37 is prime, and more than the 8 KV heads and the 32 layers.
    EXPECT_THAT(refusal(ask("llama-3.1-8b", "cent-x37", 1024)), HasSubstr("no tp x pp"));
}

TEST(PimSimulation, policies_of_gpus_are_refused_on_modules) {
    for (const auto& policy : policies()) {
        if (policy->uses_pim()) continue;
        SimulationRequest request = ask("llama-3.1-8b", "cent-x8", 1024);
        request.policy = policy->name();
        EXPECT_NE(refusal(request), "simulated") << policy->name();
    }
}

}  // namespace
}  // namespace memside
