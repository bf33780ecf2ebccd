#include "pnm/pnm_device.h"

#include <rapidcheck/gtest.h>
#include <thread>

#include "pnm/devices.h"

namespace memside::pnm {
namespace {

const Devices& at_peak() {
    static const Devices devices(peak_rates);
    return devices;
}

const Devices& shipped() {
    static const Devices devices;
    return devices;
}

Operation any_operation() {
    const double heads_kv = *rc::gen::element(1, 4, 8, 10);
    const double heads = heads_kv * *rc::gen::element(1, 4, 8, 16);
    const double dim = *rc::gen::element(64, 80, 96, 128, 256);
    const double page = *rc::gen::element(0, 1, 16, 32, 64, 128);
    const double requests = *rc::gen::inRange(1, 40);
    const double tokens = *rc::gen::inRange(1, 1 << 18);
    const double bits = *rc::gen::element(4, 8, 16);
    switch (*rc::gen::inRange(0, 4)) {
        case 0:
            return Attention{requests, heads, heads_kv, dim, tokens, bits, page};
        case 1:
            return DigestScan{requests * tokens / 32, heads, heads_kv, dim,
                              *rc::gen::element(8.0, 16.0)};
        case 2:
            return TopK{tokens, tokens / 4};
        default:
            return KvAppend{requests * 2 * heads_kv * dim * bits / 8, requests * heads_kv * dim,
                            requests * heads_kv * dim / 16, requests};
    }
}

RC_GTEST_PROP(PnmDevice, it_is_never_faster_than_the_roofline_at_peak_rates, ()) {
    const Operation op = any_operation();
    const double simulated_s = at_peak().simulated->cost(op)->time_s;
    RC_ASSERT(simulated_s >= at_peak().roofline->cost(op)->time_s * (1 - 1e-12));
}

TEST(PnmDevice, large_shapes_are_within_a_quarter_of_the_roofline_with_its_efficiencies) {
    for (const StudiedModel& model : studied_models) {
        for (const double requests : {1.0, 12.0}) {
            for (const double context : {131072.0, 1048576.0}) {
                const Operation operations[] = {attention_of(model, requests, context / 4),
                                                scan_of(model, requests, context),
                                                TopK{context / studied_page, 1024}};
                for (const Operation& op : operations) {
                    EXPECT_NEAR(shipped().simulated->cost(op)->time_s /
                                    shipped().roofline->cost(op)->time_s,
                                1, 0.25)
                        << operation_name(op) << " of " << model.name << " x " << requests;
                }
            }
        }
    }
}

TEST(PnmDevice, attention_of_8b_waits_for_memory_of_70b_for_both_of_405b_for_the_multipliers) {
    // Arithmetic over memory time of 32K attended tokens, from the busy times of the units.
    const auto ratio = [](const StudiedModel& model) {
        const KernelTime time = shipped().time(attention_of(model, 12, 32768));
        return time.busy_s[index(Unit::multipliers)] / time.busy_s[index(Unit::dram)];
    };
    EXPECT_LT(ratio(studied_models[0]), 0.6);
    EXPECT_NEAR(ratio(studied_models[1]), 1.0, 0.15);
    EXPECT_GT(ratio(studied_models[2]), 1.7);
    const auto bound = [](const StudiedModel& model) {
        return shipped().simulated->cost(attention_of(model, 12, 32768))->bound;
    };
    EXPECT_EQ(bound(studied_models[0]), Bound::memory);
    EXPECT_EQ(bound(studied_models[2]), Bound::compute);
}

TEST(PnmDevice, at_peak_rates_405b_needs_about_2_2_times_the_arithmetic) {
    const OperationCost cost = *at_peak().roofline->cost(attention_of(studied_models[2], 1, 32768));
    EXPECT_EQ(cost.bound, Bound::compute);
    const double memory_s = cost.bytes / shipped().spec.dram_bytes_per_s;
    EXPECT_NEAR(cost.time_s / memory_s, 2.2, 0.1);
}

TEST(PnmDevice, small_pages_are_gathered_more_slowly) {
    Attention op = attention_of(studied_models[0], 4, 32768);
    const auto time = [&](double page) {
        op.page_tokens = page;
        return shipped().simulated->cost(op)->time_s;
    };
    EXPECT_GT(time(1), time(128));
    EXPECT_GT(time(128), time(0));
}

TEST(PnmDevice, with_the_dram_streaming_it_draws_about_the_power_of_its_platform) {
    const OperationCost cost = *shipped().simulated->cost(scan_of(studied_models[0], 12, 1 << 20));
    EXPECT_NEAR(cost.energy_j / cost.time_s + shipped().simulated->idle_power_w(),
                shipped().simulated->peak_power_w(), 3);
}

TEST(PnmDevice, the_energy_of_a_kernel_is_controller_time_and_dram_commands) {
    const Operation op = attention_of(studied_models[2], 1, 32768);
    const KernelTime time = shipped().time(op);
    const PnmSpec& spec = shipped().spec;
    // Idle: 20 W of the board, DRAM at rest, the rest leaks in the controller.
    const double leaks_w = spec.idle_power_w - 20 - shipped().dram->standby_power_w();
    EXPECT_NEAR(shipped().simulated->cost(op)->energy_j,
                (spec.controller_power_w - leaks_w) * time.time_s + time.dram_command_energy_j,
                1e-9);
}

TEST(PnmDevice, the_accesses_are_the_commands_of_the_dram) {
    const Operation op = attention_of(studied_models[1], 4, 32768);
    const OperationCost cost = *shipped().simulated->cost(op);
    EXPECT_DOUBLE_EQ(cost.access_j, shipped().time(op).dram_command_energy_j);
    EXPECT_EQ(cost.compute_j, 0.0);  // part of the controller's power
}

RC_GTEST_PROP(PnmDevice, a_remembered_cost_is_the_cost_of_a_new_device, ()) {
    const Operation op = any_operation();
    const OperationCost first = *shipped().simulated->cost(op);
    const OperationCost again = *shipped().simulated->cost(op);
    const OperationCost fresh = *Devices().simulated->cost(op);
    RC_ASSERT(first.time_s == again.time_s && first.time_s == fresh.time_s);
    RC_ASSERT(first.energy_j == again.energy_j && first.energy_j == fresh.energy_j);
}

TEST(PnmDevice, threads_that_ask_in_any_order_get_the_same) {
    const Devices devices;
    std::vector<std::vector<double>> times(4, std::vector<double>(60));
    constexpr std::size_t strides[] = {1, 7, 11, 13};
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < times.size(); ++thread) {
        threads.emplace_back([&, thread] {
            for (std::size_t i = 0; i < 60; ++i) {
                const std::size_t at = (i * strides[thread] + thread) % 60;
                const double tokens = 100.0 + 1000.0 * static_cast<double>(at);
                times[thread][at] =
                    devices.simulated->cost(attention_of(studied_models[at % 3], 2, tokens))
                        ->time_s;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& other : times) EXPECT_EQ(other, times[0]);
}

TEST(PnmDevice, it_has_no_matrix_engine) {
    for (const Operation& op :
         {Operation{Gemm{1, 128, 128, 32768, 0}}, Operation{VectorOp{64, 64}}}) {
        const auto cost = shipped().simulated->cost(op);
        ASSERT_FALSE(cost.ok());
        EXPECT_EQ(cost.error().message(), shipped().roofline->cost(op).error().message());
    }
}

TEST(PnmDevice, its_dram_constants_are_among_those_used) {
    const Devices devices;
    const auto used = devices.constants.used();
    const auto found = std::find_if(used.begin(), used.end(), [](const Constant& constant) {
        return constant.path == "pnm.dram.timing.nCL";
    });
    ASSERT_NE(found, used.end());
    EXPECT_TRUE(found->assumed());
    EXPECT_THAT(found->where, testing::HasSubstr("lpddr5x-8533.yaml:"));
}

TEST(PnmDevice, the_roofline_can_be_had_instead) {
    const auto time = [](const char* cycle_level) {
        const SystemSpec system =
            load_system("a100x1-pnm1", {{"pnm.cycle_level", cycle_level}}).value();
        ConstantReader constants(system);
        return make_device(constants)
            .value()
            ->cost(attention_of(studied_models[0], 1, 32768))
            ->time_s;
    };
    const Operation op = attention_of(studied_models[0], 1, 32768);
    EXPECT_EQ(time("false"), shipped().roofline->cost(op)->time_s);
    EXPECT_EQ(time("true"), shipped().simulated->cost(op)->time_s);
}

}  // namespace
}  // namespace memside::pnm
