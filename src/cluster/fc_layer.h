// The tensor-parallel part of a decoder layer: what each GPU computes outside attention. Heads and
// FFN columns are split over the GPUs; two all-reduces per layer join the partial sums
// (Megatron-LM).
#pragma once

#include <vector>

#include "cluster/hardware.h"
#include "cluster/task_graph.h"
#include "model/model_spec.h"

namespace memside {

// How tensor parallelism splits the model over `ranks` GPUs. With fewer KV heads than GPUs a KV
// head is kept on several of them.
struct TensorShard {
    int ranks = 1;
    double query_heads = 0;   // on one GPU
    double kv_heads = 0;      // on one GPU
    double weight_bytes = 0;  // resident on one GPU
    double kv_share = 0;      // of a request's KV that the fullest GPU holds
    double kv_copies = 1;     // of a request's KV over all GPUs: more than 1 with too few KV heads

    static TensorShard of(const ModelSpec& model, int ranks);
};

// A stretch of GPU work for one layer or for the end of a step: tasks in order.
class FcBuilder {
  public:
    // `batch`: tokens decoded together. Every task runs on `gpu`, all-reduces on `link`.
    FcBuilder(const ModelSpec& model, const Hardware& hardware, double batch, ResourceId gpu,
              ResourceId link);

    // Norm and QKV projection; the returned task is the last one.
    TaskId before_attention(TaskGraph& graph, int layer, const std::vector<TaskId>& after);
    // Output projection, all-reduce, norm, FFN, all-reduce.
    TaskId after_attention(TaskGraph& graph, int layer, const std::vector<TaskId>& after);
    // Final norm, output head over the whole vocabulary, sampling.
    TaskId finish(TaskGraph& graph, TaskId after);

    // An operation of the GPU group as a task, with the energy of all GPUs.
    TaskId gpu_task(TaskGraph& graph, std::string_view name, std::string_view phase, int layer,
                    const Operation& operation, const std::vector<TaskId>& after);

    // All-reduce of `bytes` over the GPUs; `after` itself when there is only one.
    TaskId all_reduce(TaskGraph& graph, int layer, double bytes, TaskId after);

    const TensorShard& shard() const { return shard_; }

  private:
    // Gemma 3 normalises a branch's output too; `after` itself for other models.
    TaskId post_norm(TaskGraph& graph, std::string_view phase, int layer, TaskId after);
    double hidden_bytes() const;  // of the batch's activations, FP16
    TaskId gemm(TaskGraph& graph, std::string_view name, std::string_view phase, int layer,
                double n, double k, double weight_bytes, const std::vector<TaskId>& after);
    TaskId norm(TaskGraph& graph, std::string_view phase, int layer,
                const std::vector<TaskId>& after);

    const ModelSpec& model_;
    const Hardware& hardware_;
    double batch_;
    ResourceId gpu_;
    ResourceId link_;
    TensorShard shard_;
};

}  // namespace memside
