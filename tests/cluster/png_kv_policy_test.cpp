// `png-kv` with round numbers: GPUs and devices attend at the same time and merge.
#include <algorithm>

#include "cluster/simulate.h"
#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

double busy(const SimulationResult& result, const std::string& name) {
    for (const ResourceBusy& r : result.resources) {
        if (r.name == name) return r.busy_s;
    }
    return 0.0;
}

SimulationRequest toy(int gpus, int devices, const std::string& policy) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(gpus, devices);
    request.policy = policy;
    request.context_tokens = 32768;
    request.budget_tokens = 8192;
    request.batch = 4;
    return request;
}

TEST(PngKvPolicy, the_gpus_keep_their_share_of_the_budget_when_memory_allows) {
    const auto result = simulate(toy(1, 3, "png-kv"));
    // 1 of 4 processors: 64 of 256 pages.
    EXPECT_EQ(*result->pool_tokens_per_request, 64 * 32);
}

TEST(PngKvPolicy, memory_limits_the_share_to_the_pool_over_the_batch) {
    SimulationRequest request = toy(1, 3, "png-kv");
    // 100 pages of 32 tokens of 800 bytes for 4 requests.
    request.system.components.at("gpu").constants.at("memory_capacity").value =
        static_cast<double>(request.model.weights.bytes()) + 100 * 32 * 800.0 + 1.0;
    EXPECT_EQ(*simulate(request)->pool_tokens_per_request, 25 * 32);
}

TEST(PngKvPolicy, what_the_gpus_attend_the_devices_do_not) {
    const auto both = simulate(toy(1, 1, "png-kv"));
    const auto alone = simulate(toy(1, 1, "pnm-kv"));
    EXPECT_DOUBLE_EQ(*both->kv_bytes_read_per_step, *alone->kv_bytes_read_per_step);
    // Half of 256 pages stays resident, less what bursts and drift leave outside for a step.
    const double saved = busy(*alone, "pnm") - busy(*both, "pnm");
    EXPECT_GT(saved, 0.0);
    EXPECT_LE(saved, 4 * 128 * 32 * 1.6e-9 * (1 + 1e-9));
    EXPECT_LT(*both->tpot_s, *alone->tpot_s);
}

TEST(PngKvPolicy, recalls_are_at_most_the_pages_that_drop_out) {
    const auto result = simulate(toy(1, 1, "png-kv"));
    EXPECT_GT(*result->pages_recalled_per_step, 0.0);
    EXPECT_LE(*result->pages_recalled_per_step,
              *result->drop_out_rate * *result->pages_selected_per_step + 1e-9);
}

TEST(PngKvPolicy, the_batch_is_that_of_pnm_kv) {
    SimulationRequest request;
    request.model = *load_model("llama-3.1-70b");
    request.system = *load_system("a100x2-pnm8", {});
    request.policy = "png-kv";
    request.context_tokens = 131072;
    const auto result = simulate(request);
    EXPECT_EQ(result->batch, 96);
    // 153.6 GB less 141.1 GB of weights are 38.1K tokens of 320 KiB: 397 for each of 96 requests,
    // 12 whole pages, where the ratio of 2 to 10 alone would allow 6.5K.
    EXPECT_EQ(*result->pool_tokens_per_request, 12 * 32);
}

}  // namespace
}  // namespace memside
