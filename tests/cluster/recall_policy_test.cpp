// `recall` with round numbers: what a step does between GPUs and plain CXL memory.
#include <algorithm>

#include "cluster/simulate.h"
#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

double phase(const SimulationResult& result, const std::string& name) {
    for (const PhaseTime& p : result.phases) {
        if (p.name == name) return p.time_s;
    }
    return 0.0;
}

SimulationRequest toy(int gpus) {
    SimulationRequest request;
    request.model = toy_model();
    request.system = toy_system(gpus, 0);
    add_toy_cxl(request.system, 2);
    request.policy = "recall";
    request.context_tokens = 32768;
    request.budget_tokens = 8192;
    request.batch = 1;
    return request;
}

TEST(RecallPolicy, scans_digests_in_hbm_and_attends_the_selected_pages_there) {
    SimulationRequest request = toy(1);
    request.selection.steps = 1;
    request.selection.warmup_steps = 0;
    const auto result = simulate(request);
    ASSERT_TRUE(result.ok());
    // After one step the context has a page more than 1,024: 800 bytes of digest each at 1 TB/s.
    EXPECT_NEAR(phase(*result, "digest_scan"), 1025 * 800.0 / 1e12, 1e-18);
    // 256 pages of 32 tokens of 800 bytes.
    EXPECT_DOUBLE_EQ(*result->pages_selected_per_step, 256.0);
    EXPECT_NEAR(phase(*result, "attention"), 256 * 32 * 800.0 / 1e12, 1e-18);
}

TEST(RecallPolicy, recalled_pages_come_at_the_rate_of_the_slowest_link) {
    SimulationRequest request = toy(1);
    // A pool of just the budget, so that every page that drops in is recalled.
    request.system.components.at("gpu").constants.at("memory_capacity").value =
        static_cast<double>(request.model.weights.bytes()) + 1025 * 800.0 + 256 * 32 * 800.0 + 1e4;
    const auto result = simulate(request);
    ASSERT_EQ(result->batch, 1);
    EXPECT_EQ(*result->pool_tokens_per_request, 8192);
    const double pages = *result->pages_recalled_per_step;
    ASSERT_GT(pages, 0.0);
    const double bytes = pages * 32 * 800.0;
    EXPECT_DOUBLE_EQ(*result->bytes_recalled_per_step, bytes);
    // Two modules at 5 GB/s each, uplink 20 GB/s, one GPU at 10 GB/s: the last two legs are as
    // slow; the token's write-back goes the other way.
    EXPECT_NEAR(phase(*result, "recall"), bytes / 1e10, 1e-12);
}

TEST(RecallPolicy, a_pool_that_holds_the_whole_context_recalls_next_to_nothing) {
    const auto result = simulate(toy(1));  // 100 GB of HBM for 26 MB of KV
    EXPECT_GE(*result->pool_tokens_per_request, 32768);
    EXPECT_LE(*result->pages_recalled_per_step, 1.0);  // only pages never seen before
}

TEST(RecallPolicy, a_batch_whose_budget_is_not_resident_at_once_runs_in_micro_batches) {
    SimulationRequest request = toy(1);
    // Room for the digests of 4 requests and the budget of 2.
    request.system.components.at("gpu").constants.at("memory_capacity").value =
        static_cast<double>(request.model.weights.bytes()) + 4 * 1024 * 800.0 +
        2 * 256 * 32 * 800.0 + 1e4;
    request.batch = 4;
    const auto result = simulate(request);
    ASSERT_EQ(result->batch, 4);
    EXPECT_EQ(result->micro_batches, 2);
    // Nothing stays resident between two steps: everything selected is recalled.
    EXPECT_DOUBLE_EQ(*result->pages_recalled_per_step, *result->pages_selected_per_step);
    request.batch.reset();
    EXPECT_EQ(simulate(request)->batch, 2);  // the largest that needs no micro-batches
}

TEST(RecallPolicy, a_70b_request_of_128k_fits_two_a100_once_and_recalls_about_five_megabytes) {
    SimulationRequest request;
    request.model = *load_model("llama-3.1-70b");
    request.system = *load_system("a100x2-cxl", {});
    request.policy = "recall";
    request.context_tokens = 131072;
    const auto result = simulate(request);
    // Kim et al. state a recall of about 5 MB; a page of one layer is 128 KiB.
    EXPECT_EQ(result->batch, 1);
    EXPECT_NEAR(*result->bytes_recalled_per_step / 80, 5e6, 2e6);
}

TEST(RecallPolicy, needs_plain_cxl_memory) {
    SimulationRequest request = toy(1);
    request.system = toy_system(1, 1);
    const auto result = simulate(request);
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().message(), testing::HasSubstr("no plain CXL memory"));
}

}  // namespace
}  // namespace memside
