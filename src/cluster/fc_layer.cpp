#include "cluster/fc_layer.h"

#include <cassert>
#include <cmath>

namespace memside {
namespace {

constexpr double activation_value_bytes = 2.0;  // FP16

double ceil_div(int a, int b) {
    return std::ceil(static_cast<double>(a) / b);
}

// Heads are whole on a GPU: the widest shard sets the pace and the memory.
double qkv_share(const ModelSpec& model, const TensorShard& shard) {
    return (shard.query_heads + 2.0 * shard.kv_heads) / (model.heads + 2.0 * model.kv_heads);
}

double per_layer(const WeightPart& part, const ModelSpec& model) {
    return static_cast<double>(part.bytes) / model.layers;
}

}  // namespace

TensorShard TensorShard::of(const ModelSpec& model, int ranks) {
    TensorShard shard;
    shard.ranks = ranks;
    shard.query_heads = ceil_div(model.heads, ranks);
    shard.kv_heads = ceil_div(model.kv_heads, ranks);
    shard.kv_share = shard.kv_heads / model.kv_heads;
    shard.kv_copies = std::max(1.0, static_cast<double>(ranks) / model.kv_heads);
    const ModelWeights& w = model.weights;
    const auto bytes = [](const WeightPart& part) { return static_cast<double>(part.bytes); };
    shard.weight_bytes =
        bytes(w.qkv) * qkv_share(model, shard) +
        bytes(w.attn_out) * shard.query_heads / model.heads + bytes(w.norms) +
        (bytes(w.ffn_up) + bytes(w.ffn_down) + bytes(w.embedding) + bytes(w.lm_head)) / ranks;
    return shard;
}

FcBuilder::FcBuilder(const ModelSpec& model, const Hardware& hardware, double batch, ResourceId gpu,
                     ResourceId link)
    : model_(model),
      hardware_(hardware),
      batch_(batch),
      gpu_(gpu),
      link_(link),
      shard_(TensorShard::of(model, hardware.gpus)) {}

TaskId FcBuilder::gpu_task(TaskGraph& graph, std::string_view name, std::string_view phase,
                           int layer, const Operation& operation,
                           const std::vector<TaskId>& after) {
    const Result<OperationCost> cost = hardware_.gpu->cost(operation);
    assert(cost.ok());  // a GPU runs every operation
    Task task;
    task.name = name;
    task.phase = phase;
    task.resource = gpu_;
    task.layer = layer;
    task.duration_s = cost->time_s;
    task.bytes = cost->bytes;
    task.flops = cost->flops;
    task.energy = task_energy(*cost, hardware_.gpus);
    return graph.add(task, after);
}

TaskId FcBuilder::gemm(TaskGraph& graph, std::string_view name, std::string_view phase, int layer,
                       double n, double k, double weight_bytes, const std::vector<TaskId>& after) {
    const double activations = activation_value_bytes * batch_ * (n + k);
    return gpu_task(graph, name, phase, layer, Gemm{batch_, n, k, weight_bytes, activations},
                    after);
}

TaskId FcBuilder::norm(TaskGraph& graph, std::string_view phase, int layer,
                       const std::vector<TaskId>& after) {
    // Residual add and norm in one kernel: read branch and residual, write both.
    const double values = batch_ * model_.hidden;
    return gpu_task(graph, "norm", phase, layer,
                    VectorOp{4.0 * activation_value_bytes * values, 4.0 * values}, after);
}

TaskId FcBuilder::post_norm(TaskGraph& graph, std::string_view phase, int layer, TaskId after) {
    return model_.architecture == Architecture::gemma3 ? norm(graph, phase, layer, {after}) : after;
}

double FcBuilder::hidden_bytes() const {
    return activation_value_bytes * batch_ * model_.hidden;
}

TaskId FcBuilder::all_reduce(TaskGraph& graph, int layer, double bytes, TaskId after) {
    if (hardware_.gpus == 1) return after;
    const int per_node = hardware_.gpus / hardware_.gpu_nodes;
    Task task;
    task.energy.access_j = hardware_.gpu_nodes * all_reduce_link_bytes(per_node, bytes) *
                           hardware_.gpu_link.energy_j_per_byte;
    if (hardware_.node_link) {
        task.energy.access_j += all_reduce_link_bytes(hardware_.gpu_nodes, bytes) *
                                hardware_.node_link->energy_j_per_byte;
    }
    task.name = "all-reduce";
    task.phase = "all_reduce";
    task.resource = link_;
    task.layer = layer;
    task.duration_s = hardware_.all_reduce_s(bytes);
    task.bytes = bytes;
    return graph.add(task, {after});
}

TaskId FcBuilder::before_attention(TaskGraph& graph, int layer, const std::vector<TaskId>& after) {
    const TaskId normed = norm(graph, "qkv", layer, after);
    const double n = (shard_.query_heads + 2.0 * shard_.kv_heads) * model_.head_dim;
    const double weights = per_layer(model_.weights.qkv, model_) * qkv_share(model_, shard_);
    const TaskId projected = gemm(graph, "qkv", "qkv", layer, n, model_.hidden, weights, {normed});
    // Rotary embedding, with the norms of query and key where a model has them, in one kernel.
    const double values = batch_ * (shard_.query_heads + shard_.kv_heads) * model_.head_dim;
    return gpu_task(graph, "rope", "qkv", layer,
                    VectorOp{2.0 * activation_value_bytes * values, 6.0 * values}, {projected});
}

TaskId FcBuilder::after_attention(TaskGraph& graph, int layer, const std::vector<TaskId>& after) {
    const ModelWeights& w = model_.weights;
    const double attn_width = shard_.query_heads * model_.head_dim;
    const TaskId out =
        gemm(graph, "attn_out", "attn_out", layer, model_.hidden, attn_width,
             per_layer(w.attn_out, model_) * shard_.query_heads / model_.heads, after);
    const TaskId joined = all_reduce(graph, layer, hidden_bytes(), out);
    const TaskId normed = norm(graph, "ffn", layer, {post_norm(graph, "attn_out", layer, joined)});
    const double columns = static_cast<double>(model_.ffn) / shard_.ranks;
    const TaskId up = gemm(graph, "ffn_up", "ffn", layer, 2.0 * columns, model_.hidden,
                           per_layer(w.ffn_up, model_) / shard_.ranks, {normed});
    const double values = batch_ * columns;
    const TaskId active =
        gpu_task(graph, "activation", "ffn", layer,
                 VectorOp{3.0 * activation_value_bytes * values, 8.0 * values}, {up});
    const TaskId down = gemm(graph, "ffn_down", "ffn", layer, model_.hidden, columns,
                             per_layer(w.ffn_down, model_) / shard_.ranks, {active});
    return post_norm(graph, "ffn", layer, all_reduce(graph, layer, hidden_bytes(), down));
}

TaskId FcBuilder::finish(TaskGraph& graph, TaskId after) {
    const ModelWeights& w = model_.weights;
    const WeightPart& head = model_.tied_embeddings ? w.embedding : w.lm_head;
    const double columns = static_cast<double>(model_.vocab) / shard_.ranks;
    const TaskId normed = norm(graph, "lm_head", -1, {after});
    const TaskId logits = gemm(graph, "lm_head", "lm_head", -1, columns, model_.hidden,
                               static_cast<double>(head.bytes) / shard_.ranks, {normed});
    // Each GPU reads its logits once more to sample; only candidates cross the link.
    return gpu_task(graph, "sample", "lm_head", -1,
                    VectorOp{activation_value_bytes * batch_ * columns, batch_ * columns},
                    {logits});
}

}  // namespace memside
