// `png-kv`: as `pnm-kv`, and a steady part of every request's selected pages is kept in HBM and
// attended by the GPUs while the devices attend the rest; the partial results are merged as in
// FlashAttention (Kim et al., PACT 2025, "PnG-KV" and steady-token selection).
#include <algorithm>

#include "cluster/gpu_pool.h"
#include "cluster/pnm_fit.h"
#include "cluster/pnm_layer.h"

namespace memside {
namespace {

constexpr double activation_value_bytes = 2.0;

class PngKvAttention final : public AttentionSide {
  public:
    PngKvAttention(StepPlan& step, const Hardware& hardware, const DecodeJob& job,
                   const PageShares& pages)
        : step_(step),
          job_(job),
          pages_(pages),
          devices_(step, *hardware.pnm, job, pages),
          transfer_(step.graph, hardware.pnm->fabric, hardware.gpus) {}

    Result<std::vector<TaskId>> attend(FcBuilder& fc, int layer, const BatchPart& part,
                                       TaskId qkv) override {
        const std::vector<double> each = counts(part.by_device);
        AttentionTraffic traffic = attention_traffic(job_.model, each);
        const auto arrived = transfer_.scatter(step_.graph, layer, traffic.down, qkv);
        MEMSIDE_TRY(const auto sorted, devices_.select(layer, part.by_device, arrived));

        const bool shared = kv::selects(job_.model, job_.format, layer) && pages_.in_pool > 0.0;
        MEMSIDE_TRY(const auto attended, devices_.attend(layer, part.by_device, shared, sorted));
        if (shared) {
            // Beside the output come its maximum and its sum of exponentials, one each per head.
            for (std::size_t d = 0; d < each.size(); ++d) {
                traffic.up[d] += each[d] * 2.0 * job_.model.heads * activation_value_bytes;
            }
        }
        std::vector<TaskId> joined = transfer_.gather(step_.graph, layer, traffic.up, attended);
        if (shared) {
            joined.push_back(attend_steady(fc, layer, part, sorted));
            joined = {merge(fc, layer, static_cast<double>(request_count(part.requests)), joined)};
        }
        return joined;
    }

  private:
    double page_tokens() const { return static_cast<double>(job_.format.page_tokens); }

    // The GPUs' share: steady pages that are new come over the links first.
    TaskId attend_steady(FcBuilder& fc, int layer, const BatchPart& part,
                         const std::vector<TaskId>& sorted) {
        const double page_bytes = page_tokens() *
                                  static_cast<double>(job_.model.kv_values_per_token_layer()) *
                                  kv::bits(job_.format.value_type) / 8.0;
        double tokens = 0.0;
        std::vector<double> recalled_bytes;
        for (const Requests& requests : part.by_device) {
            double recalled = 0.0;
            for (const RequestGroup& group : requests) {
                const PageCounts pages = page_counts(job_, pages_, group.context_tokens);
                const auto count = static_cast<double>(group.count);
                tokens += count * pages.in_pool * page_tokens();
                recalled += count * pages.recalled;
            }
            recalled_bytes.push_back(recalled * page_bytes);
            step_.bytes_recalled += recalled * page_bytes;
        }
        std::vector<TaskId> ready = sorted;
        if (pages_.recalled > 0.0) {
            ready = transfer_.stream_up(step_.graph, layer, "recall", recalled_bytes, sorted);
        }
        Attention op;
        op.requests = static_cast<double>(request_count(part.requests));
        op.query_heads = fc.shard().query_heads;
        op.kv_heads = fc.shard().kv_heads;
        op.head_dim = job_.model.head_dim;
        op.tokens = tokens / op.requests;
        op.kv_bits = kv::bits(job_.format.value_type);
        const TaskId task = fc.gpu_task(step_.graph, "attention", "attention", layer, op, ready);
        step_.kv_bytes_read +=
            step_.graph.tasks().back().bytes / fc.shard().kv_share * fc.shard().kv_copies;
        return task;
    }

    // Rescales and adds the two partial outputs of every head.
    TaskId merge(FcBuilder& fc, int layer, double requests, const std::vector<TaskId>& after) {
        const double values = requests * fc.shard().query_heads * (job_.model.head_dim + 2.0);
        return fc.gpu_task(step_.graph, "merge", "merge", layer,
                           VectorOp{3.0 * activation_value_bytes * values, 4.0 * values}, after);
    }

    StepPlan& step_;
    const DecodeJob& job_;
    const PageShares& pages_;
    PnmDevices devices_;
    FabricTransfer transfer_;
};

class PngKvPolicy final : public Policy {
  public:
    std::string_view name() const override { return "png-kv"; }
    std::string_view summary() const override {
        return "as pnm-kv, and steady pages are kept and attended on the GPUs at the same time";
    }
    bool selects_pages() const override { return true; }
    bool uses_pnm() const override { return true; }
    Status supports(const SystemSpec& system) const override { return needs_pnm(*this, system); }
    Fit fit(const Hardware& hardware, const DecodeJob& job) const override {
        return pnm_fit(hardware, job);
    }

    // T_steady = min(ratio x T_budget, |P| / B), in whole pages; the ratio of Kim et al. is
    // GPUs / (GPUs + devices).
    ResidencySetup residency(const Hardware& hardware, const DecodeJob& job,
                             std::int64_t batch) const override {
        GpuPool hbm = GpuPool::of(hardware, job);
        hbm.digest_bytes_per_request = 0.0;  // digests and whole layers stay on the devices
        hbm.resident_bytes_per_request = 0.0;
        const std::int64_t budget = job.budget_pages(job.context_tokens);
        const std::int64_t by_ratio =
            budget * hardware.gpus / (hardware.gpus + hardware.pnm->fabric.devices);
        return {"steady", std::min(by_ratio, hbm.pool_pages(batch) / batch), true};
    }

    std::unique_ptr<AttentionSide> attention(StepPlan& step, const Hardware& hardware,
                                             const DecodeJob& job,
                                             const PageShares& pages) const override {
        return std::make_unique<PngKvAttention>(step, hardware, job, pages);
    }
};

}  // namespace

std::unique_ptr<Policy> make_png_kv_policy() {
    return std::make_unique<PngKvPolicy>();
}

}  // namespace memside
