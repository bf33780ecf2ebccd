// Page selection of a simulated step: sampled, counted, the same for any number of threads.
#include "cluster/selection.h"

#include <cmath>

#include "cluster/simulate.h"
#include "cluster/toy_system.h"

namespace memside {
namespace {

SimulationRequest request_of(std::int64_t sample, unsigned threads) {
    SimulationRequest request;
    request.model = toy_model();
    request.model.layers = 6;
    derive_weights(request.model, 2, {});
    request.system = toy_system(1, 1);
    request.policy = "png-kv";
    request.context_tokens = 16384;
    request.batch = 10;
    request.selection.sample_pairs = sample;
    request.selection.threads = threads;
    return request;
}

TEST(Selection, a_sample_lies_within_three_standard_errors_of_all_pairs) {
    const auto all = simulate(request_of(0, 2));
    EXPECT_EQ(*all->select_sample, 60);
    EXPECT_EQ(*all->pages_recalled_stderr, 0.0);
    for (const std::int64_t sample : {8, 20}) {
        const auto some = simulate(request_of(sample, 2));
        EXPECT_EQ(*some->select_sample, sample);
        EXPECT_LE(std::abs(*some->pages_recalled_per_step - *all->pages_recalled_per_step),
                  3.0 * *some->pages_recalled_stderr);
    }
}

TEST(Selection, the_number_of_threads_changes_nothing) {
    const auto one = simulate(request_of(8, 1));
    for (const unsigned threads : {2U, 5U}) {
        const auto more = simulate(request_of(8, threads));
        EXPECT_EQ(*more->pages_recalled_per_step, *one->pages_recalled_per_step);
        EXPECT_EQ(*more->tpot_s, *one->tpot_s);
    }
}

TEST(Selection, pinned_pages_that_exceed_the_budget_are_bad_input) {
    SimulationRequest request = request_of(8, 1);
    request.budget_tokens = 64;
    request.selection.pinned = {2, 1};
    const auto result = simulate(request);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().exit_status(), 2);
}

TEST(Overlap, half_batches_hide_fc_behind_attention_and_never_lose_work) {
    SimulationRequest request = request_of(8, 1);
    const auto plain = simulate(request);
    request.half_batches = true;
    const auto halves = simulate(request);
    EXPECT_EQ(halves->batch, plain->batch);
    EXPECT_DOUBLE_EQ(*halves->kv_bytes_read_per_step, *plain->kv_bytes_read_per_step);
    EXPECT_LT(*halves->tpot_s, *plain->tpot_s);
    // Never below the busiest device.
    for (const ResourceBusy& r : halves->resources) {
        EXPECT_LE(r.busy_s, *halves->tpot_s * (1 + 1e-12));
    }
}

}  // namespace
}  // namespace memside
