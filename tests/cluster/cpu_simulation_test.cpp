#include "cluster/cpu_simulation.h"

#include <rapidcheck/gtest.h>

#include "cluster/cpu_machine.h"
#include "toy_system.h"

namespace memside {
namespace {

// One thread, 1 GB/s from everywhere, free between products unless a test says otherwise.
SystemSpec toy_cpu(double threads = 1.0) {
    SystemSpec system;
    system.name = "toy-cpu";
    for (const std::string role : {"cpu_single", "cpu"}) {
        Component part = component(role, ComponentKind::cpu, 1, {});
        const double cores = role == "cpu" ? threads : 1.0;
        for (const SchemaKey& key : cpu_schema()) {
            const bool rate = key.dimension == Dimension::bytes_per_second;
            set(part, std::string(key.key), rate ? 1e9 * cores : 0.0);
        }
        set(part, "cores", cores);
        set(part, "threads", cores);
        set(part, "memory_capacity", 1e12);
        set(part, "last_level_cache", 1.0);
        for (const std::string_view type : measured_kv_types()) {
            set(part, fmt::format("attention_rows_{}", type), 4.0);
        }
        set(part, "attention_overlap", 1.0);
        system.components.emplace(role, std::move(part));
    }
    return system;
}

// 2 layers, hidden 64, 4 heads over 2 KV heads of 16, FFN 128, vocabulary 256, untied, f16.
ModelSpec toy_shape() {
    ModelSpec model;
    model.name = "toy";
    model.layers = 2;
    model.hidden = 64;
    model.heads = 4;
    model.kv_heads = 2;
    model.head_dim = 16;
    model.ffn = 128;
    model.vocab = 256;
    model.window_tokens = 1 << 20;
    model.weight_type = "f16";
    derive_weights(model, 2, {});
    return model;
}

SimulationRequest request_of(const std::string& policy, std::int64_t context) {
    SimulationRequest request;
    request.model = toy_shape();
    request.system = toy_cpu();
    request.policy = policy;
    request.context_tokens = context;
    request.format.page_tokens = 64;
    request.selection.scores = "random-keys";
    request.selection.threads = 1;
    return request;
}

double phase(const SimulationResult& result, const std::string& name) {
    for (const PhaseTime& phase : result.phases) {
        if (phase.name == name) return phase.time_s;
    }
    return 0.0;
}

SimulationResult simulated(const SimulationRequest& request) {
    auto result = simulate(request);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message());
    return result.ok() ? *result : SimulationResult{};
}

// Matrices of a layer: 64 x (64 + 2 x 32) + 64 x 64 + 3 x 64 x 128; the output 256 x 64; 2 bytes
// per weight at 1 GB/s.
constexpr double weight_bytes = 2.0 * (2 * (64 * 128 + 64 * 64 + 3 * 64 * 128) + 256 * 64);

TEST(CpuSimulationTest, a_dense_step_reads_the_weights_and_the_pages) {
    const SimulationResult result = simulated(request_of("dense", 1000));
    EXPECT_NEAR(phase(result, "fc"), weight_bytes / 1e9, 1e-12);
    // 1,001 tokens are 16 pages of 64, of 2 KV heads x 16 dimensions x 2 x 2 bytes, in 2 layers.
    const double kv_bytes = 2.0 * 16 * 64 * (2 * 16 * 2 * 2);
    EXPECT_NEAR(phase(result, "attention"), kv_bytes / 1e9, 1e-12);
    EXPECT_DOUBLE_EQ(*result.kv_bytes_read_per_step, kv_bytes);
    EXPECT_NEAR(*result.tpot_s, (weight_bytes + kv_bytes) / 1e9, 1e-12);
    EXPECT_DOUBLE_EQ(*result.throughput_tok_per_s, 1.0 / *result.tpot_s);
}

TEST(CpuSimulationTest, arithmetic_of_a_page_is_that_of_its_passes) {
    SimulationRequest request = request_of("dense", 64 * 16 - 1);
    for (const char* role : {"cpu", "cpu_single"}) {
        Component& cpu = request.system.components.find(role)->second;
        set(cpu, "attention_rows_f16", 1.0);
        set(cpu, "attention_read_f16", 1e-9);
        set(cpu, "attention_multiply_f16", 2e-9);
        set(cpu, "attention_softmax_f16", 3e-9);
    }
    // A page of 4 KiB takes 4.1 us to read; its 64 tokens x (16 x (2 passes + 2 heads x 2) + 2 x 3)
    // ns = 6.5 us, in which the reading hides. 16 pages x 2 heads x 2 layers.
    EXPECT_NEAR(phase(simulated(request), "attention"), 64.0 * 64 * 102e-9, 1e-12);
    for (const char* role : {"cpu", "cpu_single"}) {
        set(request.system.components.find(role)->second, "attention_overlap", 0.25);
    }
    EXPECT_NEAR(phase(simulated(request), "attention"), 64.0 * (64 * 102e-9 + 0.75 * 4096e-9),
                1e-12);
}

TEST(CpuSimulationTest, selection_reads_digests_and_the_budget) {
    SimulationRequest request = request_of("pnm-kv", 64 * 64 - 1);
    request.budget_tokens = 512;
    const SimulationResult result = simulated(request);
    EXPECT_DOUBLE_EQ(*result.pages_selected_per_step, 8.0);
    // 64 pages x 2 KV heads x 64 bytes of digest x 2 layers.
    EXPECT_NEAR(phase(result, "scoring"), 64 * 2 * 64 * 2 / 1e9, 1e-12);
    EXPECT_NEAR(phase(result, "attention"), 8 * 2 * 4096.0 * 2 / 1e9, 1e-12);
    EXPECT_NEAR(phase(result, "fc"), weight_bytes / 1e9, 1e-12);
}

TEST(CpuSimulationTest, within_the_budget_every_page_is_attended_and_none_scored) {
    SimulationRequest request = request_of("pnm-kv", 64 * 16 - 1);
    request.budget_tokens = 1024;
    const SimulationResult result = simulated(request);
    EXPECT_DOUBLE_EQ(phase(result, "scoring"), 0.0);
    EXPECT_NEAR(phase(result, "attention"),
                phase(simulated(request_of("dense", 64 * 16 - 1)), "attention"), 1e-12);
    // One token more is a page more than the budget.
    request.context_tokens = 64 * 16;
    EXPECT_GT(phase(simulated(request), "scoring"), 0.0);
}

TEST(CpuSimulationTest, recall_copies_what_kv_says_and_reads_it_from_the_cache) {
    SimulationRequest request = request_of("recall", 64 * 256 - 1);
    request.budget_tokens = 512;
    for (const char* role : {"cpu", "cpu_single"}) {
        set(request.system.components.find(role)->second, "cache_rate", 4e9);
    }
    const SimulationResult result = simulated(request);
    const double recalled = *result.pages_recalled_per_step;
    EXPECT_GT(recalled, 0.5);
    EXPECT_LT(recalled, 8.0);
    EXPECT_NEAR(phase(result, "recall"), recalled * 2 * 4096.0 * 2 / 1e9, 1e-12);
    EXPECT_NEAR(phase(result, "attention"), ((8 - recalled) + recalled / 4) * 2 * 4096.0 * 2 / 1e9,
                1e-12);
    EXPECT_NEAR(*result.bytes_recalled_per_step, recalled * 2 * 4096.0 * 2, 1e-6);
}

TEST(CpuSimulationTest, two_threads_share_a_loop_as_its_parts_allow) {
    SimulationRequest request = request_of("dense", 64 * 64 - 1);
    const double alone = phase(simulated(request), "attention");
    request.system = toy_cpu(2.0);
    // 8 parts: an even split, at twice the rate.
    EXPECT_NEAR(phase(simulated(request), "attention"), alone / 2.0, 1e-12);
    // One part of 64 KiB, which one thread takes: no faster.
    EXPECT_NEAR(phase(simulated(request), "fc"), weight_bytes / 1e9, 1e-12);
}

TEST(CpuSimulationTest, dense_attention_is_linear_in_whole_pages) {
    rc::check([] {
        const auto pages = *rc::gen::inRange<std::int64_t>(8, 2000);
        const double one = phase(simulated(request_of("dense", 64 * pages - 1)), "attention");
        const double two = phase(simulated(request_of("dense", 128 * pages - 1)), "attention");
        RC_ASSERT(std::abs(two / one - 2.0) < 1e-9);
    });
}

TEST(CpuSimulationTest, a_faster_machine_is_never_slower) {
    rc::check([] {
        const std::string policy = *rc::gen::element<std::string>("dense", "pnm-kv", "recall");
        SimulationRequest request = request_of(policy, *rc::gen::inRange<std::int64_t>(64, 20000));
        request.budget_tokens = 512;
        request.system = toy_cpu(2.0);
        const double before = *simulated(request).tpot_s;
        const SchemaKey key = *rc::gen::elementOf(cpu_schema());
        if (key.dimension != Dimension::bytes_per_second) return;
        for (const char* role : {"cpu", "cpu_single"}) {
            Component& cpu = request.system.components.find(role)->second;
            set(cpu, std::string(key.key), 3.0 * cpu.value(key.key));
        }
        RC_ASSERT(*simulated(request).tpot_s <= before * (1.0 + 1e-12));
    });
}

TEST(CpuSimulationTest, what_is_not_modelled_is_refused_by_name) {
    const auto error = [](const SimulationRequest& request) {
        const auto result = simulate(request);
        return result.ok() ? "" : result.error().message();
    };
    EXPECT_EQ(error(request_of("png-kv", 1000)),
              "--policy: 'png-kv' is not modelled on a cpu; allowed: dense, pnm-kv, recall");
    SimulationRequest request = request_of("dense", 1000);
    request.batch = 4;
    EXPECT_THAT(error(request), testing::HasSubstr("--batch: 4 is not modelled on a cpu"));
    request = request_of("dense", 1000);
    request.format.value_type = kv::ValueType::fp8;
    EXPECT_THAT(error(request), testing::HasSubstr("'fp8' is not modelled on a cpu"));
    request = request_of("pnm-kv", 1000);
    request.selection.scores = "trace.scores";
    EXPECT_THAT(error(request), testing::HasSubstr("recorded scores are those of whole layers"));
}

TEST(CpuSimulationTest, a_machine_that_is_too_small_says_what_would_not_fit) {
    SimulationRequest request = request_of("dense", 1 << 20);
    set(request.system.components.find("cpu")->second, "memory_capacity", 1e6);
    const SimulationResult result = simulated(request);
    EXPECT_EQ(result.batch, 0);
    EXPECT_THAT(result.reason, testing::HasSubstr("the machine has 976.562 KiB of memory"));
}

}  // namespace
}  // namespace memside
