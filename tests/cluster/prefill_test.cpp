#include "cluster/prefill.h"

#include "cluster/policy.h"
#include "cluster/simulate.h"
#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

constexpr std::int64_t context_128k = 131072;

SimulationRequest toy(int gpus, int devices, const std::string& policy) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(gpus, devices);
    request.policy = policy;
    request.context_tokens = 32768;
    request.batch = 1;
    request.selection.sample_pairs = 1;
    request.selection.steps = 1;
    request.selection.warmup_steps = 0;
    return request;
}

SimulationRequest seventy_billion(const std::string& system, const std::string& policy) {
    SimulationRequest request;
    request.model = *load_model("llama-3.1-70b");
    request.system = *load_system(system, {});
    request.policy = policy;
    request.context_tokens = context_128k;
    return request;
}

double phase(const SimulationResult& result, const std::string& name) {
    for (const PhaseTime& p : result.prefill) {
        if (p.name == name) return p.time_s;
    }
    return 0.0;
}

TEST(Prefill, of_one_layer_is_the_sum_of_its_rooflines) {
    const auto result = simulate(toy(1, 0, "dense"));
    const double tokens = 32768;
    // 4 x 8 x 100 FLOP for each of n (n + 1) / 2 pairs at half of 100 TFLOP/s.
    EXPECT_NEAR(phase(*result, "attention"), 3200.0 * tokens * (tokens + 1) / 2 / 5e13, 1e-12);
    // Output projection: 0.8 M weights, two FLOP each a token, at 100 TFLOP/s.
    EXPECT_NEAR(phase(*result, "attn_out"), 2 * 0.8e6 * tokens / 1e14, 1e-12);
    // Norm and RoPE: 8,000 and 4,000 bytes a token at 1 TB/s; 1.2 M weights of QKV.
    EXPECT_NEAR(phase(*result, "qkv"), tokens * (12000 / 1e12 + 2 * 1.2e6 / 1e14), 1e-12);
    EXPECT_NEAR(phase(*result, "ffn"), tokens * ((8000 + 24000) / 1e12 + 2 * 12e6 / 1e14), 1e-12);
    EXPECT_EQ(phase(*result, "first_step"), *result->tpot_s);
    EXPECT_FALSE(result->kv_fill_s.has_value());
}

TEST(Prefill, the_phases_sum_to_the_time_to_the_first_token) {
    for (const char* policy : {"pnm-kv", "png-kv"}) {
        const auto result = simulate(toy(2, 3, policy));
        double sum = 0.0;
        for (const PhaseTime& p : result->prefill) sum += p.time_s;
        EXPECT_DOUBLE_EQ(*result->ttft_s, sum);
        EXPECT_GT(*result->prefill_energy_j, 0.0);
    }
}

TEST(Prefill, kv_leaves_while_the_layer_computes_and_the_device_builds_digests) {
    SimulationRequest request = toy(1, 2, "pnm-kv");
    const auto hidden = simulate(request);
    // 32,768 tokens of 800 bytes over the 5 GB/s of the one device that owns the request.
    EXPECT_DOUBLE_EQ(*hidden->kv_fill_s, 32768 * 800.0 / 5e9);
    const auto in_hbm = simulate(toy(1, 0, "dense"));
    EXPECT_EQ(phase(*hidden, "fill"), 0.0);
    EXPECT_DOUBLE_EQ(*hidden->ttft_s - *hidden->tpot_s, *in_hbm->ttft_s - *in_hbm->tpot_s);
    // A link a thousand times slower cannot hide: the fill starts when K and V are there, and ends
    // with the digests: KV written, keys read back, two vectors a page written, at 500 GB/s.
    request.system.components.at("device_link").constants.at("bandwidth").value /= 1000;
    const auto shown = simulate(request);
    EXPECT_DOUBLE_EQ(phase(*shown, "fill"), *shown->kv_fill_s);
    EXPECT_NEAR(phase(*shown, "digest"), (32768 * (800.0 + 400.0) + 1024 * 800.0) / 5e11, 1e-12);
    EXPECT_NEAR(phase(*shown, "qkv"), phase(*hidden, "qkv"), 1e-15);
}

TEST(Prefill, plain_modules_share_the_kv_and_the_gpu_builds_digests) {
    SimulationRequest request = toy(1, 0, "recall");
    add_toy_cxl(request.system, 2);
    const auto result = simulate(request);
    ASSERT_TRUE(result.ok());
    // Two modules at 5 GB/s each: as fast as the GPU's 10 GB/s to the host.
    EXPECT_DOUBLE_EQ(*result->kv_fill_s, 32768 * 800.0 / 1e10);
    // Keys read and digests written once in HBM, before the layer ends.
    const auto in_hbm = simulate(toy(1, 0, "dense"));
    const double digests_s = (32768 * 400.0 + 1024 * 800.0) / 1e12;
    EXPECT_NEAR(*result->ttft_s - *result->tpot_s - (*in_hbm->ttft_s - *in_hbm->tpot_s), digests_s,
                1e-12);
}

TEST(Prefill, of_70b_at_128k_moves_40_gib_over_one_device_link) {
    const auto result = simulate(seventy_billion("a100x2-pnm8", "pnm-kv"));
    // x8 of PCIe 6.0 is 64 GB/s, three quarters of it payload; so are two GPUs over PCIe 4.0.
    EXPECT_NEAR(*result->kv_fill_s, 40.0 * 1024 * 1024 * 1024 / 48e9, 1e-9);
    // All but the last layer's share hides behind computing.
    EXPECT_LT(phase(*result, "fill"), *result->kv_fill_s / 80 * 1.1);
    // FLOPs by hand: 2 x 68.5 G parameters of the layers a token, 4 x 64 x 128 x 80 a pair; at
    // 86 and 73 % of 2 x 312 TFLOP/s, less what norms, padding and all-reduces take.
    const double fc = 2 * 68.5e9 * context_128k / (2 * 312e12 * 0.859);
    const double attention = 4.0 * 64 * 128 * 80 * 131072.0 * 131073.0 / 2 / (2 * 312e12 * 0.73);
    EXPECT_GT(*result->ttft_s, fc + attention);
    EXPECT_LT(*result->ttft_s, (fc + attention) * 1.1);
}

TEST(Prefill, twice_the_context_takes_more_than_twice_as_long) {
    SimulationRequest request = toy(1, 1, "pnm-kv");
    const double once = *simulate(request)->ttft_s;
    request.context_tokens *= 2;
    EXPECT_GT(*simulate(request)->ttft_s, 2 * once);
}

TEST(Prefill, requests_of_several_lengths_are_averaged) {
    const SimulationRequest request = toy(1, 1, "pnm-kv");
    ConstantReader constants(request.system);
    const auto made = make_hardware(constants, {true, false});
    const Hardware& hardware = *made;
    const Policy& policy = **find_policy("pnm-kv");
    const DecodeJob job{request.model, 32768, {}, request.format, {}};
    const auto time_of = [&](const Requests& requests) {
        SimulationResult result;
        result.tpot_s = 0.0;
        EXPECT_TRUE(add_prefill(policy, hardware, job, requests, constants, result).ok());
        return *result.ttft_s;
    };
    EXPECT_NEAR(time_of({{8192, 3}, {32768, 1}}),
                0.75 * time_of({{8192, 4}}) + 0.25 * time_of({{32768, 4}}), 1e-12);
}

TEST(Prefill, steady_pages_come_back_to_the_gpus) {
    SimulationRequest request = toy(1, 1, "png-kv");
    // So slow a link that its last transfer is on the critical path.
    request.system.components.at("device_link").constants.at("bandwidth").value /= 1000;
    const auto result = simulate(request);
    ASSERT_GT(*result->pool_tokens_per_request, 0);
    EXPECT_GT(phase(*result, "steady"),
              static_cast<double>(*result->pool_tokens_per_request) * 800.0 / 5e6);
}

}  // namespace
}  // namespace memside
