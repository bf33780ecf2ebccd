#include "cluster/fc_layer.h"

#include "cluster/toy_system.h"

namespace memside {
namespace {

struct Bench {
    explicit Bench(int gpus)
        : system(toy_system(gpus, 0)),
          constants(system),
          hardware(std::move(make_hardware(constants, {})).value()) {
        gpu = graph.add_resource("GPUs", "gpu");
        link = graph.add_resource("GPU link", "gpu_link");
    }
    // Duration of the first task of that name.
    double time(std::string_view name) const {
        for (const Task& task : graph.tasks()) {
            if (task.name == name) return task.duration_s;
        }
        return 0.0;
    }
    double time(TaskId id) const { return graph.tasks()[static_cast<std::size_t>(id)].duration_s; }
    ModelSpec model = toy_model();
    SystemSpec system;
    ConstantReader constants;
    Hardware hardware;
    TaskGraph graph;
    ResourceId gpu = 0;
    ResourceId link = 0;
};

TEST(FcLayer, the_qkv_projection_streams_its_weights_at_the_bandwidth) {
    Bench bench(1);
    FcBuilder fc(bench.model, bench.hardware, 1, bench.gpu, bench.link);
    fc.before_attention(bench.graph, 0, {});
    // 1,000 x (800 + 2 x 200) weights and 2,200 activations of 2 bytes at 1 TB/s.
    EXPECT_DOUBLE_EQ(bench.time("qkv"), (1000.0 * 1200 + 2200) * 2 / 1e12);
}

TEST(FcLayer, a_large_batch_is_bound_by_compute) {
    Bench bench(1);
    FcBuilder fc(bench.model, bench.hardware, 1000, bench.gpu, bench.link);
    fc.before_attention(bench.graph, 0, {});
    // 2 x 1,000 x 1,000 x 1,200 FLOP at 100 TFLOP/s against 6.8 MB at 1 TB/s.
    EXPECT_DOUBLE_EQ(bench.time("qkv"), 2.0 * 1000 * 1000 * 1200 / 1e14);
}

TEST(FcLayer, tensor_parallelism_halves_the_weights_and_adds_two_all_reduces) {
    Bench bench(2);
    FcBuilder fc(bench.model, bench.hardware, 1, bench.gpu, bench.link);
    const TaskId qkv = fc.before_attention(bench.graph, 0, {});
    EXPECT_DOUBLE_EQ(bench.time("qkv"), (1000.0 * 600 + 1600) * 2 / 1e12);
    fc.after_attention(bench.graph, 0, {qkv});
    int all_reduces = 0;
    for (const Task& task : bench.graph.tasks()) {
        if (task.phase != "all_reduce") continue;
        ++all_reduces;
        // Ring of two: each sends and receives the 2,000 bytes once, at 100 GB/s.
        EXPECT_DOUBLE_EQ(task.duration_s, 2000.0 / 1e11);
    }
    EXPECT_EQ(all_reduces, 2);
}

TEST(FcLayer, a_kv_head_is_copied_when_there_are_more_gpus_than_kv_heads) {
    const ModelSpec model = toy_model();
    const TensorShard shard = TensorShard::of(model, 4);
    EXPECT_DOUBLE_EQ(shard.query_heads, 2.0);
    EXPECT_DOUBLE_EQ(shard.kv_heads, 1.0);  // of 2 heads over 4 GPUs
    EXPECT_DOUBLE_EQ(shard.kv_share, 0.5);  // so every head is held twice
    EXPECT_DOUBLE_EQ(TensorShard::of(model, 2).kv_share, 0.5);
}

TEST(FcLayer, the_shards_of_one_gpu_are_the_whole_model) {
    const ModelSpec model = toy_model();
    EXPECT_DOUBLE_EQ(TensorShard::of(model, 1).weight_bytes,
                     static_cast<double>(model.weights.bytes()));
}

TEST(FcLayer, energy_above_idle_is_charged_on_every_gpu) {
    Bench bench(2);
    FcBuilder fc(bench.model, bench.hardware, 1, bench.gpu, bench.link);
    const TaskId norm = fc.gpu_task(bench.graph, "norm", "qkv", 0, VectorOp{1e9, 0.0}, {});
    EXPECT_DOUBLE_EQ(bench.time(norm), 1e-3);
    const TaskEnergy& energy = bench.graph.tasks()[static_cast<std::size_t>(norm)].energy;
    EXPECT_NEAR(energy.busy_j, 2 * (200.0 - 100.0) * 1e-3, 1e-15);
    EXPECT_DOUBLE_EQ(energy.access_j, 2 * 1e9 * 5e-11);
    EXPECT_EQ(energy.compute_j, 0.0);
}

}  // namespace
}  // namespace memside
