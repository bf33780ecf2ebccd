// GPUs with DRAM-PIM modules beside them: what is conserved, closed forms, bounds.
#include "cluster/gpu_pim.h"

#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>

#include "cluster/simulate.h"
#include "cluster/toy_pim.h"
#include "cluster/toy_system.h"
#include "model/catalog.h"
#include "system/catalog.h"

namespace memside {
namespace {

using testing::HasSubstr;

const PimDescription& description() {
    static const PimDescription read = *read_pim_description();
    return read;
}

SimulationRequest ask(const std::string& model, const std::string& system, std::int64_t context) {
    SimulationRequest request;
    request.model = *load_model(model);
    request.system = *load_system(system, {});
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

double phase(const SimulationResult& result, std::string_view name) {
    for (const PhaseTime& one : result.phases) {
        if (one.name == name) return one.time_s;
    }
    return 0;
}

RC_GTEST_PROP(GpuPim, every_pair_is_dealt_once_and_evenly, ()) {
    const int modules = *rc::gen::inRange(1, 40);
    Requests requests;
    for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
        requests.push_back({*rc::gen::inRange(1, 100'000), *rc::gen::inRange(1, 9)});
    }
    const ModelSpec model = toy_decoder();
    const PimPairs pairs = deal_pairs(model, requests, modules);
    std::map<std::int64_t, std::int64_t> expected;
    std::int64_t longest = 0;
    for (const RequestGroup& group : requests) {
        expected[group.context_tokens] += group.count * model.kv_heads;
        longest = std::max(longest, group.context_tokens + 1);
    }
    std::map<std::int64_t, std::int64_t> found;
    std::int64_t least = INT64_MAX;
    std::int64_t most = 0;
    for (const std::vector<std::int64_t>& contexts : pairs.contexts) {
        RC_ASSERT(std::is_sorted(contexts.rbegin(), contexts.rend()));
        std::int64_t tokens = 0;
        for (const std::int64_t context : contexts) {
            ++found[context];
            tokens += context + 1;
        }
        least = std::min(least, tokens);
        most = std::max(most, tokens);
    }
    RC_ASSERT(found == expected);
    RC_ASSERT(most - least <= longest);  // Graham: no module is ahead by more than its last pair
}

TEST(GpuPim, a_pair_takes_whole_rows_or_the_window) {
    const ModelSpec model = toy_decoder();  // 8 layers, window of 8,192
    PimOptions options;
    const double token = 8 * 2 * 128 * 2;
    options.access = PimAccess::reserved;
    EXPECT_EQ(pair_bytes(model, options, 100), token * 8192);
    EXPECT_EQ(pair_bytes(model, options, 9999), token * 10000);
    options.reserve_tokens = 300;
    EXPECT_EQ(pair_bytes(model, options, 100), token * 300);
    options.access = PimAccess::chunks;
    options.program.partition = PimPartition::tcp;
    // A row of 32 channels is 1 MiB: 4,096 keys of 256 bytes.
    EXPECT_EQ(pair_bytes(model, options, 4095), token * 4096);
    EXPECT_EQ(pair_bytes(model, options, 4096), token * 8192);
    options.program.partition = PimPartition::hfp;
    // Of one channel it is 32 KiB: 128 keys.
    EXPECT_EQ(pair_bytes(model, options, 127), token * 128);
    EXPECT_EQ(pair_bytes(model, options, 128), token * 256);
}

TEST(GpuPim, every_partition_scheduler_and_number_of_modules_multiplies_as_much) {
    const ModelSpec model = toy_decoder();
    const Requests requests{{4095, 3}, {2047, 2}};  // whole granules of every layout
    const double macs = 2.0 * 16 * 128 * (3 * 4096 + 2 * 2048);
    PimModule module = toy_modules(1, true).module;
    for (const PimPartition partition : {PimPartition::hfp, PimPartition::tcp}) {
        for (const pim::Scheduler scheduler : {pim::Scheduler::in_order, pim::Scheduler::dcs}) {
            PimOptions options;
            options.program.partition = partition;
            options.program.scheduler = scheduler;
            const auto programs = make_program_kernels(description(), options.program);
            RememberedKernels kernels(*programs, description(), options.program, "");
            for (const int modules : {1, 3, 40, 64}) {
                for (const int groups : {1, 2}) {
                    module.channel_groups = groups;
                    double sum = 0;
                    for (const auto& contexts : deal_pairs(model, requests, modules).contexts) {
                        // In lockstep short pairs wait: lengths are not mixed in a round here.
                        if (partition == PimPartition::hfp && modules < 40) continue;
                        const auto work = attend_pairs(model, module, options, kernels, contexts);
                        ASSERT_TRUE(work.ok());
                        sum += work->kernels.macs();
                        EXPECT_LE(work->aim_s + work->hub_s, work->kernels.time_s * (1 + 1e-12));
                    }
                    if (partition == PimPartition::hfp && modules < 40) continue;
                    EXPECT_EQ(sum, macs) << modules;
                }
            }
        }
    }
}

// Two GPUs and one module at the toy's rates, 4 requests: by hand but for the kernel itself.
TEST(GpuPim, a_step_is_its_fc_transfers_and_kernels) {
    SimulationRequest request;
    request.model = toy_decoder();
    request.system = toy_system(2, 1);
    request.system.components.erase("pnm");
    request.system.components["pim"] = component("pim", ComponentKind::pim, 1,
                                                 {{"memory_capacity", 16.0 * 1024 * 1024 * 1024},
                                                  {"channel_groups", 1},
                                                  {"fc_in_banks", 1},
                                                  {"kernel_latency", 2e-6},
                                                  {"processor_power", 0},
                                                  {"active_power", 50},
                                                  {"price", 0.125}});
    request.policy = "pim";
    request.context_tokens = 4095;
    request.batch = 4;
    const SimulationResult result = answer(request);
    ASSERT_EQ(result.batch, 4);

    const auto programs = make_program_kernels(description(), request.pim.program);
    const PimKernelTime kernel = *programs->attention({1, 2, 128, 4096});
    const double pairs = 4 * 8;
    EXPECT_NEAR(phase(result, "softmax"), 8 * pairs * kernel.hub_s, 1e-12);
    EXPECT_NEAR(phase(result, "attention"), 8 * (2e-6 + pairs * (kernel.time_s - kernel.hub_s)),
                1e-12);
    // q of 16 heads, k and v of 8 down, the outputs of 16 up: two host links of 10 GB/s, an uplink
    // of 20 and a device link of 5, one after the other.
    const double down = 4 * (16 + 2 * 8) * 128 * 2.0;
    const double up = 4 * 16 * 128 * 2.0;
    EXPECT_NEAR(phase(result, "transfer"), 8 * (down + up) * (1 / 2e10 + 1 / 2e10 + 1 / 5e9),
                1e-12);
    // FC is that of the same GPUs when they attend themselves.
    SimulationRequest dense = request;
    dense.policy = "dense";
    const SimulationResult on_gpus = answer(dense);
    for (const char* name : {"qkv", "attn_out", "ffn", "all_reduce", "lm_head"}) {
        EXPECT_NEAR(phase(result, name), phase(on_gpus, name), 1e-12) << name;
    }
    const double sum =
        std::accumulate(result.phases.begin(), result.phases.end(), 0.0,
                        [](double before, const PhaseTime& one) { return before + one.time_s; });
    EXPECT_NEAR(sum, *result.tpot_s, 1e-12);
    // Two GPUs at 1 USD and 300 W, the module, 0.36 USD/kWh scaled to the toy's price of a joule.
    EXPECT_NEAR(*result.usd_per_hour, 2.125 + 650 * 3600 * 0.36 / 3.6e6, 1e-12);
    EXPECT_EQ(*result.kv_bytes_read_per_step, 4.0 * 4095 * 8 * 2 * 8 * 128 * 2);
}

TEST(GpuPim, figures_of_a_step_agree_with_one_another) {
    for (const char* system : {"a100x2-pim8", "h100x1-pim5"}) {
        const SimulationResult result = answer(ask("llama-3.1-8b", system, 32768));
        double energy = 0;
        for (const EnergyShare& share : result.energy) {
            EXPECT_GE(share.j_per_token, 0) << share.name;
            energy += share.j_per_token;
        }
        EXPECT_NEAR(energy, *result.energy_j_per_token, 1e-9 * energy);
        EXPECT_LE(*result.kv_capacity_utilization, 1.0);
        EXPECT_GT(*result.pim_mac_utilization, 0.0);
        EXPECT_FALSE(result.ttft_s);  // prefill is not modelled
        EXPECT_GT(result.timeline.size(), 0u);
    }
}

TEST(GpuPim, no_step_is_faster_than_banks_and_hbm) {
    const ModelSpec model = *load_model("llama-3.1-8b");
    for (const PimPartition partition : {PimPartition::hfp, PimPartition::tcp}) {
        SimulationRequest request = ask("llama-3.1-8b", "a100x2-pim8", 32768);
        request.pim.program.partition = partition;
        const SimulationResult result = answer(request);
        // 512 GB/s a channel at a column in each cycle of 1 ns.
        const double kv_s = static_cast<double>(result.batch) *
                            static_cast<double>(*result.kv_bytes_per_request) /
                            (8 * 32 * 512e9 * 1.024);
        const double weights_s = model.fc_flops_per_token() / (2 * 2.039e12);
        EXPECT_GT(*result.tpot_s, kv_s + weights_s);
    }
}

// The same pairs in halves: the modules multiply as much, and wait for less.
TEST(GpuPim, half_batches_hide_fc_behind_attention) {
    SimulationRequest request = ask("llama-3.1-8b", "a100x2-pim8", 32768);
    request.batch = 28;
    const SimulationResult whole = answer(request);
    request.half_batches = true;
    const SimulationResult halves = answer(request);
    EXPECT_NEAR(*halves.pim_mac_utilization * *halves.tpot_s,
                *whole.pim_mac_utilization * *whole.tpot_s, 1e-9 * *whole.tpot_s);
    EXPECT_LT(*halves.tpot_s, *whole.tpot_s);
    EXPECT_GE(*halves.tpot_s, phase(whole, "attention") + phase(whole, "softmax") - 1e-3);
}

TEST(GpuPim, requests_that_fit_fill_the_modules) {
    SimulationRequest request = ask("llama-3.1-8b", "a100x2-pim8", 32767);
    // 64 layer regions of 8 MiB: 512 MiB a pair, 32 pairs a module, 256 pairs of 8 heads.
    EXPECT_EQ(answer(request).batch, 32);
    request.batch = 33;
    EXPECT_THAT(answer(request).reason, HasSubstr("a batch of 33 was asked for and 32 at most"));
    request = ask("llama-3.1-8b", "a100x2-pim1", 1 << 20);
    EXPECT_THAT(answer(request).reason, HasSubstr("a module of 16 GiB holds"));
    request = ask("llama-3.1-70b", "a100x1-pim8", 1024);
    EXPECT_THAT(answer(request).reason, HasSubstr("the weights take"));
}

// Two waves of a batch that fills the modules, each of 16 tokens: the steps are those of the batch.
TEST(GpuPim, a_workload_of_alike_requests_is_served_in_batches) {
    SimulationRequest request = ask("llama-3.1-8b", "a100x2-pim8", 32767 - 16);
    const SimulationResult batch = answer(request);
    ASSERT_EQ(batch.batch, 32);
    request.context_tokens = 0;
    for (int i = 0; i < 64; ++i) request.workload.requests.push_back({32767 - 16, 16, 0.0});
    const SimulationResult served = answer(request);
    EXPECT_EQ(served.batch, 32);
    EXPECT_NEAR(*served.throughput_tok_per_s, *batch.throughput_tok_per_s,
                1e-3 * *batch.throughput_tok_per_s);
    EXPECT_NEAR(*served.energy_j_per_token, *batch.energy_j_per_token,
                1e-3 * *batch.energy_j_per_token);
    EXPECT_NEAR(*served.pim_mac_utilization, *batch.pim_mac_utilization,
                1e-3 * *batch.pim_mac_utilization);
}

TEST(GpuPim, what_is_not_modelled_is_refused_by_name) {
    SimulationRequest request = ask("llama-3.1-8b", "a100x2-pim8", 1024);
    request.pim.tp = 8;
    request.pim.pp = 1;
    EXPECT_THAT(refusal(request), HasSubstr("--tp"));
    request = ask("llama-3.1-8b", "a100x2-pim8", 1024);
    request.format.value_type = kv::ValueType::int8;
    EXPECT_THAT(refusal(request), HasSubstr("--kv-type"));
    request = ask("llama-3.1-8b", "a100x2-pim8", 1024);
    request.budget_tokens = 512;
    EXPECT_THAT(refusal(request), HasSubstr("--budget"));
    request = ask("llama-3.1-8b", "a100x2-pim8", 1024);
    request.pim.hub = PimHub::overlap;
    EXPECT_THAT(refusal(request), HasSubstr("--hub"));
    EXPECT_THAT(refusal(ask("gemma-3-4b", "a100x2-pim8", 1024)), HasSubstr("sliding-window"));
}

// Host and cooling are those of any GPU server; cooling is paid for the modules' watts too.
TEST(GpuPim, a_server_around_the_devices_can_be_charged) {
    SimulationRequest request = ask("llama-3.1-8b", "a100x2-pim8", 8192);
    request.system = *load_system("a100x2-pim8", {{"cost.include_host", "true"}});
    const SimulationResult result = answer(request);
    double devices = 0;
    double cooling = 0;
    for (const EnergyShare& share : result.energy) {
        (share.name == "cooling" ? cooling : devices) += share.j_per_token;
    }
    EXPECT_NEAR(cooling, 0.56 * devices, 1e-9 * devices);
}

}  // namespace
}  // namespace memside
