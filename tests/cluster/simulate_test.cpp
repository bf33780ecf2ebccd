#include "cluster/simulate.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <numeric>

#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

SimulationRequest toy(int gpus, int devices, const std::string& policy, std::int64_t context) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(gpus, devices);
    request.policy = policy;
    request.context_tokens = context;
    // Selection has tests of its own; here one pair and one step are enough.
    request.selection.sample_pairs = 1;
    request.selection.steps = 1;
    request.selection.warmup_steps = 0;
    return request;
}

SimulationRequest named(const std::string& model, const std::string& system,
                        const std::string& policy, std::int64_t context,
                        const std::vector<std::pair<std::string, std::string>>& set = {}) {
    SimulationRequest request;
    auto spec = load_model(model);
    auto hardware = load_system(system, set);
    EXPECT_TRUE(spec.ok() && hardware.ok());
    request.model = *spec;
    request.system = *hardware;
    request.policy = policy;
    request.context_tokens = context;
    return request;
}

double phase(const SimulationResult& result, const std::string& name) {
    for (const PhaseTime& p : result.phases) {
        if (p.name == name) return p.time_s;
    }
    return 0.0;
}

double part(const SimulationResult& result, const std::string& name) {
    for (const EnergyShare& share : result.energy) {
        if (share.name == name) return share.j_per_token;
    }
    ADD_FAILURE() << "no part " << name;
    return 0.0;
}

constexpr std::int64_t context_128k = 131072;
constexpr std::int64_t context_1m = 1048576;

TEST(Simulate, seventy_billion_at_128k_decodes_96_requests_on_eight_devices) {
    const auto with = simulate(named("llama-3.1-70b", "a100x2-pnm8", "pnm-kv", context_128k));
    EXPECT_EQ(with->batch, 96);
    const auto without = simulate(named("llama-3.1-70b", "a100x2-pnm8", "pnm-kv", context_128k,
                                        {{"pnm.digest_in_capacity", "false"}}));
    EXPECT_EQ(without->batch, 96);
}

TEST(Simulate, dense_70b_at_128k_fits_nothing_on_two_gpus_and_three_requests_on_four) {
    const auto two = simulate(named("llama-3.1-70b", "a100x2", "dense", context_128k));
    EXPECT_EQ(two->batch, 0);
    EXPECT_THAT(two->reason, testing::HasSubstr("40 GiB over all GPUs"));
    EXPECT_FALSE(two->tpot_s.has_value());
    const auto four = simulate(named("llama-3.1-70b", "a100x4", "dense", context_128k));
    EXPECT_EQ(four->batch, 3);
}

TEST(Simulate, a_405b_request_of_1m_tokens_needs_pages_of_64_or_digests_elsewhere) {
    const std::string rack = "rack-2x8a100-pnm64";
    SimulationRequest request = named("llama-3.1-405b", rack, "pnm-kv", context_1m);
    const auto refused = simulate(request);
    EXPECT_EQ(refused->batch, 0);
    EXPECT_THAT(refused->reason, testing::HasSubstr("519.75 GiB of the 512 GiB"));
    EXPECT_THAT(refused->reason, testing::HasSubstr("--page-size 64 needs 511.875 GiB"));
    request.format.page_tokens = 64;
    EXPECT_EQ(simulate(request)->batch, 64);
    const auto elsewhere = simulate(
        named("llama-3.1-405b", rack, "pnm-kv", context_1m, {{"pnm.digest_in_capacity", "false"}}));
    EXPECT_EQ(elsewhere->batch, 64);
}

TEST(Simulate, a_dense_step_is_the_sum_of_its_rooflines) {
    SimulationRequest request = toy(1, 0, "dense", 100'000);
    request.batch = 1;
    const auto result = simulate(request);
    // K and V of 2 heads of 100, FP16: 800 bytes per token, at 1 TB/s.
    const double append = 800.0 / 1e12;
    EXPECT_NEAR(phase(*result, "attention"), 800.0 * 100'000 / 1e12, 1e-18);
    EXPECT_NEAR(phase(*result, "append"), append, 1e-18);
    // Norm: 4 x 2,000 bytes. QKV: 1.2 M weights and 2,200 activations. RoPE: 1,000 values of query
    // and key, read and written.
    EXPECT_NEAR(phase(*result, "qkv"), (8000 + (1.2e6 + 2200) * 2 + 4000) / 1e12, 1e-18);
    EXPECT_NEAR(phase(*result, "attn_out"), (0.8e6 + 1800) * 2 / 1e12, 1e-18);
    // FFN: norm, up 8 M weights, activation 3 x 8,000 bytes, down 4 M weights.
    EXPECT_NEAR(phase(*result, "ffn"), (8000 + (8e6 + 9000) * 2 + 24000 + (4e6 + 5000) * 2) / 1e12,
                1e-18);
    EXPECT_NEAR(phase(*result, "lm_head"), (8000 + (1e7 + 11000) * 2 + 20000) / 1e12, 1e-18);
    EXPECT_EQ(phase(*result, "all_reduce"), 0.0);
}

TEST(Simulate, a_device_scans_sorts_and_attends_its_requests) {
    SimulationRequest request = toy(1, 2, "pnm-kv", 32768);
    request.batch = 4;  // two requests a device
    request.budget_tokens = 8192;
    const auto result = simulate(request);
    // The token of the counted step begins a page after the 1,024 of the context.
    const double pages = 1025.0;
    // Pages with two vectors of 2 x 100 FP16 values: 800 bytes a page at 500 GB/s is 1.6 ns;
    // 4 x 8 x 100 FLOP a page at 2 TFLOP/s is as long.
    EXPECT_NEAR(phase(*result, "digest_scan"), 2 * pages * 1.6e-9, 1e-15);
    // 11 passes over 1,025 scores, one a cycle of 1 ns.
    EXPECT_NEAR(phase(*result, "top_k"), 2 * 11 * pages * 1e-9, 1e-15);
    // 8,192 tokens of 800 bytes at 500 GB/s; 3,200 FLOP a token at 2 TFLOP/s is as long.
    EXPECT_NEAR(phase(*result, "attention"), 2 * 8192 * 1.6e-9, 1e-15);
    EXPECT_DOUBLE_EQ(*result->pages_selected_per_step, 256.0);
    EXPECT_DOUBLE_EQ(*result->pages_recalled_per_step, 0.0);
    EXPECT_DOUBLE_EQ(*result->kv_bytes_read_per_step, 4 * 8192 * 800.0);
    EXPECT_DOUBLE_EQ(*result->digest_bytes_read_per_step, 4 * pages * 800.0);
    // Down 1,200, up 800 values of FP16 a request; a hop of 10, 20 and 5 GB/s each way. The second
    // device waits for the uplink on the way down; it is then 0.24 us later than the first, which
    // holds the host link for 0.32 us on the way up.
    const double down = 9600.0 / 1e10 + 2 * 4800.0 / 2e10 + 4800.0 / 5e9;
    const double up = 3200.0 / 5e9 + 3200.0 / 2e10 + 2 * 3200.0 / 1e10 - 0.24e-6;
    EXPECT_NEAR(phase(*result, "transfer"), down + up, 1e-15);
}

TEST(Simulate, cost_and_energy_follow_by_hand_from_power_and_time) {
    SimulationRequest request = toy(2, 1, "pnm-kv", 32768);
    request.batch = 1;
    const auto result = simulate(request);
    // Hardware 2 x 1.00 + 0.50 USD/h; (2 x 300 + 150) W at 0.36 USD/kWh.
    EXPECT_NEAR(*result->usd_per_hour, 2.5 + 0.75 * 0.36, 1e-12);
    EXPECT_NEAR(*result->energy_coarse_j_per_token, 750.0 * *result->tpot_s, 1e-15);
    EXPECT_NEAR(*result->tokens_per_usd, 3600.0 / *result->tpot_s / *result->usd_per_hour, 1e-3);
    double pnm_busy = 0.0;
    for (const ResourceBusy& r : result->resources) {
        if (r.name == "pnm") pnm_busy = r.busy_s;
    }
    // 150 W while busy, 20 W else.
    EXPECT_NEAR(part(*result, "pnm_busy"), 150.0 * pnm_busy, 1e-15);
    EXPECT_NEAR(part(*result, "pnm_idle"), 20.0 * (*result->tpot_s - pnm_busy), 1e-15);
    EXPECT_DOUBLE_EQ(*result->tokens_per_j, 1.0 / *result->energy_j_per_token);
}

TEST(Simulate, a_batch_that_does_not_fit_is_refused_with_the_largest_that_does) {
    SimulationRequest request = named("llama-3.1-70b", "a100x2-pnm8", "pnm-kv", context_128k);
    request.batch = 97;
    const auto result = simulate(request);
    EXPECT_EQ(result->batch, 0);
    EXPECT_THAT(result->reason,
                testing::HasSubstr("96 at most fit: 8 pnm x 12 requests of 41.25 GiB"));
}

TEST(Simulate, a_policy_that_the_system_cannot_run_is_bad_input) {
    const auto result = simulate(named("llama-3.1-8b", "a100x1", "pnm-kv", 1024));
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().exit_status(), 2);
    EXPECT_THAT(result.error().message(), testing::HasSubstr("no CXL-PNM devices"));
}

TEST(Simulate, the_synthetic_scores_are_listed_among_the_assumptions) {
    const auto result = simulate(toy(1, 1, "pnm-kv", 4096));
    const auto is_drift = [](const Assumption& a) { return a.key == "scores.drift"; };
    EXPECT_EQ(std::count_if(result->assumptions.begin(), result->assumptions.end(), is_drift), 1);
}

TEST(Simulate, what_was_set_inferred_or_assumed_is_named) {
    const auto result = simulate(named("llama-3.1-70b", "a100x2-pnm8", "pnm-kv", context_128k,
                                       {{"pnm.count", "4"}, {"pnm.clock", "2 GHz"}}));
    std::map<std::string, std::string> sources;
    for (const Assumption& a : result->assumptions) sources[a.key] = a.source;
    EXPECT_EQ(sources["pnm.count"], "--set");
    EXPECT_EQ(sources["pnm.clock"], "--set");
    EXPECT_THAT(sources["pnm.memory_capacity"], testing::StartsWith("inferred"));
    EXPECT_THAT(sources["gpu.idle_power"], testing::StartsWith("assumed"));
    EXPECT_EQ(sources.count("parallelism"), 1U);
    EXPECT_EQ(sources.count("gpu.memory_bandwidth"), 0U);  // a datasheet says it
}

TEST(Simulate, gpu_energy_is_busy_or_idle_power_and_what_flops_and_bytes_take) {
    SimulationRequest request = toy(2, 0, "dense", 100'000);
    request.batch = 1;
    const auto result = simulate(request);
    double gpu_busy = 0.0;
    double all_reduce_bytes = 0.0;
    double bytes = 0.0;
    double flops = 0.0;
    for (const ResourceBusy& r : result->resources) {
        if (r.name == "gpu") gpu_busy = r.busy_s;
    }
    for (const TimelineTask& task : result->timeline) {
        if (task.phase == "all_reduce") {
            all_reduce_bytes += task.bytes;
        } else {
            bytes += task.bytes;
            flops += task.flops;
        }
    }
    EXPECT_NEAR(part(*result, "gpu_busy"), 2 * 200.0 * gpu_busy, 1e-12);
    EXPECT_NEAR(part(*result, "gpu_idle"), 2 * 100.0 * (*result->tpot_s - gpu_busy), 1e-12);
    EXPECT_NEAR(part(*result, "gpu_memory"), 2 * 5e-11 * bytes, 1e-12);
    EXPECT_NEAR(part(*result, "gpu_compute"), 2 * 5e-13 * flops, 1e-12);
    // Two all-reduces of 2,000 bytes: 2 (n - 1) bytes over links at 10 pJ/B.
    EXPECT_DOUBLE_EQ(all_reduce_bytes, 4000.0);
    EXPECT_NEAR(result->energy.back().j_per_token, 2 * 4000.0 * 1e-11, 1e-18);
}

TEST(Simulate, a_context_beyond_the_window_is_an_assumption_and_not_an_error) {
    const auto result = simulate(named("llama-2-13b", "a100x1-pnm1", "pnm-kv", context_128k));
    ASSERT_TRUE(result.ok());
    const auto is_context = [](const Assumption& a) { return a.key == "context"; };
    EXPECT_EQ(std::count_if(result->assumptions.begin(), result->assumptions.end(), is_context), 1);
}

// Properties that hold for every system, whatever its constants.
RC_GTEST_PROP(Simulate, phases_sum_to_the_step_and_energy_to_its_parts, ()) {
    const int gpus = *rc::gen::inRange(1, 5);
    const int devices = *rc::gen::inRange(1, 6);
    const std::string policy =
        *rc::gen::element<std::string>("dense", "recall", "pnm-kv", "png-kv");
    SimulationRequest request = toy(gpus, devices, policy, *rc::gen::inRange(1, 200'000));
    if (policy == "recall") add_toy_cxl(request.system, devices);
    set(request.system.components.at("cost"), "include_host", *rc::gen::inRange(0, 2));
    request.model.layers = *rc::gen::inRange(1, 5);
    derive_weights(request.model, 2, {});
    request.batch = *rc::gen::inRange(1, 40);
    const auto result = simulate(request);
    RC_ASSERT(result->batch == *request.batch);
    double phases = 0.0;
    for (const PhaseTime& p : result->phases) phases += p.time_s;
    RC_ASSERT(std::abs(phases - *result->tpot_s) <= 1e-12 * *result->tpot_s);
    double energy = 0.0;
    for (const EnergyShare& e : result->energy) energy += e.j_per_token;
    RC_ASSERT(std::abs(energy - *result->energy_j_per_token) <= 1e-12 * energy);
    for (const ResourceBusy& r : result->resources) {
        RC_ASSERT(r.busy_s <= *result->tpot_s * (1 + 1e-12));
    }
    double prefill = 0.0;
    for (const PhaseTime& p : result->prefill) prefill += p.time_s;
    RC_ASSERT(std::abs(prefill - *result->ttft_s) <= 1e-12 * prefill);
    // Nothing draws more than its full power; what crosses links comes on top, and its cooling.
    RC_ASSERT(*result->energy_j_per_token <=
              *result->energy_coarse_j_per_token * (1 + 1e-9) + 1.5 * part(*result, "links"));
}

// Over shipped systems, policies and whatever a user may slow down with --set.
RC_GTEST_PROP(Simulate, nothing_gets_faster_when_a_rate_of_a_shipped_system_is_halved, ()) {
    struct Case {
        const char* system;
        const char* policy;
        std::vector<std::string> rates;
    };
    static const std::vector<std::string> gpu{"gpu.memory_bandwidth", "gpu.peak_fp16",
                                              "gpu_link.bandwidth"};
    static const std::vector<std::string> links{"host_link.bandwidth", "uplink.bandwidth",
                                                "device_link.bandwidth"};
    static const std::vector<std::string> pnm{"pnm.memory_bandwidth", "pnm.multipliers",
                                              "pnm.clock", "pnm.sram_bits", "pnm.sort_width"};
    static const std::vector<std::string> cxl{"cxl.memory_bandwidth"};
    static const auto all = [](std::vector<std::vector<std::string>> lists) {
        std::vector<std::string> joined;
        for (const auto& list : lists) joined.insert(joined.end(), list.begin(), list.end());
        return joined;
    };
    static const std::vector<Case> cases{{"a100x4", "dense", gpu},
                                         {"h100x2", "dense", gpu},
                                         {"a100x2-cxl", "recall", all({gpu, links, cxl})},
                                         {"a100x2-pnm4", "pnm-kv", all({gpu, links, pnm})},
                                         {"h100x4-pnm2", "png-kv", all({gpu, links, pnm})}};
    const Case& chosen = *rc::gen::elementOf(cases);
    const std::string rate = *rc::gen::elementOf(chosen.rates);
    const std::size_t dot = rate.find('.');
    SimulationRequest request = named("llama-3.1-8b", chosen.system, chosen.policy,
                                      *rc::gen::inRange<std::int64_t>(1024, 200'000));
    request.batch = 1;
    request.selection.sample_pairs = 1;
    request.half_batches = false;
    const auto before = simulate(request);
    Component& component = request.system.components.at(rate.substr(0, dot));
    component.constants.find(rate.substr(dot + 1))->second.value /= 2.0;
    const auto after = simulate(request);
    RC_ASSERT(before.ok() && after.ok());
    RC_ASSERT(before->batch == 1 && after->batch == 1);
    RC_ASSERT(*after->tpot_s >= *before->tpot_s);
    RC_ASSERT(*after->ttft_s >= *before->ttft_s);
    RC_ASSERT(*after->throughput_tok_per_s <= *before->throughput_tok_per_s);
    RC_ASSERT(after->kv_fill_s.value_or(0) >= before->kv_fill_s.value_or(0));
}

RC_GTEST_PROP(Simulate, halving_a_bandwidth_never_makes_a_step_faster, ()) {
    static const std::vector<std::pair<std::string, std::string>> bandwidths{
        {"gpu", "memory_bandwidth"}, {"gpu", "peak_fp16"},        {"gpu_link", "bandwidth"},
        {"pnm", "memory_bandwidth"}, {"pnm", "multipliers"},      {"host_link", "bandwidth"},
        {"uplink", "bandwidth"},     {"device_link", "bandwidth"}};
    SimulationRequest request = toy(2, 3, "pnm-kv", *rc::gen::inRange(1, 200'000));
    request.batch = *rc::gen::inRange(1, 20);
    const auto before = simulate(request);
    const auto& [role, key] = *rc::gen::elementOf(bandwidths);
    request.system.components.at(role).constants.at(key).value /= 2.0;
    const auto after = simulate(request);
    RC_ASSERT(*after->tpot_s >= *before->tpot_s);
    RC_ASSERT(*after->ttft_s >= *before->ttft_s);
}

RC_GTEST_PROP(Simulate, more_devices_never_lower_the_capacity, ()) {
    const int devices = *rc::gen::inRange(1, 8);
    const std::int64_t context = *rc::gen::inRange(100'000, 50'000'000);
    SimulationRequest fewer = toy(1, devices, "pnm-kv", context);
    SimulationRequest more = toy(1, devices + 1, "pnm-kv", context);
    fewer.format.page_tokens = more.format.page_tokens = 65536;
    RC_ASSERT(simulate(more)->batch >= simulate(fewer)->batch);
}

RC_GTEST_PROP(Simulate, more_gpus_never_lower_the_capacity, ()) {
    const bool recall = *rc::gen::inRange(0, 2) == 1;
    const std::int64_t context = *rc::gen::inRange<std::int64_t>(8'192, 1'000'000);
    std::int64_t largest = 0;
    for (const int gpus : {1, 2, 4, 8}) {
        const std::string system = fmt::format("a100x{}{}", gpus, recall ? "-cxl" : "");
        SimulationRequest request =
            named("llama-3.1-8b", system, recall ? "recall" : "dense", context);
        request.selection.sample_pairs = 1;
        request.selection.steps = 1;
        const auto result = simulate(request);
        RC_ASSERT(result->batch >= largest);
        largest = result->batch;
    }
}

}  // namespace
}  // namespace memside
