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

TEST(PimSimulation, the_hub_beside_the_channels_is_never_slower) {
    for (const PimPartition partition : {PimPartition::tcp, PimPartition::hfp}) {
        for (const char* model : {"llama-3.1-8b", "qwen1.5-7b"}) {
            SimulationRequest request = ask(model, "cent-x8", 16384);
            request.pim.tp = 8;
            request.pim.pp = 1;
            request.batch = 4;
            request.pim.program.partition = partition;
            const SimulationResult serial = answer(request);
            request.pim.hub = PimHub::overlap;
            const SimulationResult overlap = answer(request);
            EXPECT_LE(*overlap.tpot_s, *serial.tpot_s);
            const auto phase = [](const SimulationResult& result, PimPhase which) {
                return result.phases[static_cast<std::size_t>(which)].time_s;
            };
            if (partition == PimPartition::tcp) {
                EXPECT_LT(phase(overlap, PimPhase::softmax), phase(serial, PimPhase::softmax));
            }
            EXPECT_EQ(phase(overlap, PimPhase::fc), phase(serial, PimPhase::fc));
        }
    }
}

double phase(const SimulationResult& result, std::string_view name) {
    for (const PhaseTime& one : result.phases) {
        if (one.name == name) return one.time_s;
    }
    ADD_FAILURE() << "no phase " << name;
    return 0;
}

SimulationRequest ask_selected(std::int64_t context, std::int64_t budget) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", context);
    request.pim.tp = 8;
    request.pim.pp = 1;
    request.batch = 1;
    request.budget_tokens = budget;
    return request;
}

TEST(PimSimulation, selected_pages_are_counted_byte_by_byte) {
    SimulationRequest request = ask_selected(32768, 4096);
    request.format.dense_layers = 2;
    const SimulationResult result = answer(request);
    EXPECT_EQ(*result.pages_selected_per_step, 128);
    EXPECT_EQ(*result.budget_tokens, 4096);
    // 2 layers of 32,769 tokens and 30 of 4,096; a token of a layer has 4 KiB.
    EXPECT_EQ(*result.kv_bytes_read_per_step, 4096.0 * (2 * 32769 + 30 * 4096));
    // 1,025 pages with two vectors of 128 for each of 8 heads.
    EXPECT_EQ(*result.digest_bytes_read_per_step, 30.0 * 1025 * 8 * 2 * 128 * 2);
    EXPECT_EQ(*result.bytes_recalled_per_step, 0);
    // Digests are in memory: a region of a chunk of 1 MiB for each layer and head of the module.
    SimulationRequest dense = request;
    dense.budget_tokens.reset();
    EXPECT_EQ(result.capacity->request_bytes - answer(dense).capacity->request_bytes,
              30.0 * 1024 * 1024);
}

TEST(PimSimulation, fewer_selected_pages_take_less_time_but_for_the_scan) {
    double before = *answer(ask_selected(65536, 32768)).tpot_s;
    const double scan = phase(answer(ask_selected(65536, 32768)), "digest_scan");
    for (const std::int64_t budget : {16384, 4096, 1024}) {
        const SimulationResult result = answer(ask_selected(65536, budget));
        EXPECT_LT(*result.tpot_s, before);
        before = *result.tpot_s;
        EXPECT_NEAR(phase(result, "digest_scan"), scan, 0.01 * scan);
    }
}

// A budget of everything: as dense attention, with scan and choice on top, and pages one by one.
TEST(PimSimulation, all_pages_selected_cost_dense_attention_and_the_choice) {
    SimulationRequest request = ask_selected(32768, 32768 + 32);
    const SimulationResult selected = answer(request);
    request.budget_tokens.reset();
    const SimulationResult dense = answer(request);
    EXPECT_EQ(*selected.pages_selected_per_step, 1025);
    EXPECT_NEAR(phase(selected, "softmax"), phase(dense, "softmax"),
                0.06 * phase(dense, "softmax"));
    EXPECT_GT(phase(selected, "attention"), phase(dense, "attention"));
    EXPECT_LT(phase(selected, "attention"), 1.5 * phase(dense, "attention"));
}

// 32 channels of 512 GB/s: neither digests nor pages pass faster.
TEST(PimSimulation, no_selection_is_faster_than_the_banks) {
    const SimulationResult result = answer(ask_selected(131072, 8192));
    const double peak = 8 * 32 * 512e9 * 1.024;
    EXPECT_GT(phase(result, "attention"), *result.kv_bytes_read_per_step / peak);
    EXPECT_GT(phase(result, "digest_scan"), *result.digest_bytes_read_per_step / peak);
}

TEST(PimSimulation, layers_that_slide_keep_and_attend_their_window) {
    SimulationRequest request = ask("gemma-3-4b", "cent-x4", 8192);
    request.pim.tp = 4;
    request.pim.pp = 1;
    request.batch = 1;
    const SimulationResult sliding = answer(request);
    const ModelSpec model = request.model;
    // Of 34 layers 5 attend 8,193 tokens, the others 1,024.
    EXPECT_EQ(*sliding.kv_bytes_per_request,
              kv::dense_request_bytes(model, kv::ValueType::bf16, 8192));
    request.context_tokens = 16384;
    const SimulationResult longer = answer(request);
    const double grown = (phase(longer, "attention") - phase(sliding, "attention"));
    request.model.sliding.clear();
    request.model.sliding_window_tokens = 0;
    const SimulationResult whole = answer(request);
    request.context_tokens = 8192;
    const double all = phase(whole, "attention") - phase(answer(request), "attention");
    EXPECT_NEAR(grown / all, double{1} * model.full_layers() / model.layers, 0.01);
    // Keys and values of the module's head: 4 MiB each of 8,193 tokens of 256 dimensions and a
    // token's chunk, or half a MiB and that of the window.
    EXPECT_EQ(sliding.capacity->request_bytes,
              (model.full_layers() * 2 * 5 + model.sliding_layers() * 2 * 1) * 1048576.0);
}

TEST(PimSimulation, what_is_not_modelled_is_refused_by_name) {
    SimulationRequest request = ask("llama-3.1-8b", "cent-x8", 1024);
    request.half_batches = true;
    EXPECT_THAT(refusal(request), HasSubstr("--overlap"));
    request = ask("llama-3.1-8b", "cent-x8", 1024);
    request.format.value_type = kv::ValueType::int8;
    EXPECT_THAT(refusal(request), HasSubstr("--kv-type"));
    request = ask("gemma-3-4b", "cent-x4", 1024);
    request.model.sliding_window_tokens = 1000;
    EXPECT_THAT(refusal(request), HasSubstr("multiples of 512"));
    request = ask("llama-3.1-8b", "cent-x8", 1024);
    request.budget_tokens = 256;
    request.pim.program.partition = PimPartition::hfp;
    EXPECT_THAT(refusal(request), HasSubstr("--partition tcp only"));
    request = ask("llama-3.1-8b", "a100x1-pim4", 1024);
    request.budget_tokens = 256;
    EXPECT_THAT(refusal(request), HasSubstr("not beside GPUs"));
    request = ask("llama-3.1-8b", "a100x1-pim4", 1024);
    request.pim.hub = PimHub::overlap;
    EXPECT_THAT(refusal(request), HasSubstr("--hub"));
    request = ask("llama-3.1-8b", "cent-x8", 1024);
    request.settings = {{"page-size", "64"}};
    EXPECT_THAT(refusal(request), HasSubstr("with --budget only"));
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
