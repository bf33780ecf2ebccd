// `recall`: the KV cache lives in plain CXL memory; digests and a pool of pages in HBM. The GPUs
// score all pages, bring the selected pages that are not resident over the links, and attend
// (ArkVale, NeurIPS 2024; the baseline of Kim et al., PACT 2025). Heads are split over the GPUs.
#include <algorithm>
#include <cmath>

#include "base/number.h"
#include "cluster/fabric_transfer.h"
#include "cluster/gpu_pool.h"
#include "cluster/policy.h"

namespace memside {
namespace {

class RecallAttention final : public AttentionSide {
  public:
    RecallAttention(StepPlan& step, const Hardware& hardware, const DecodeJob& job,
                    const PageShares& pages)
        : step_(step),
          job_(job),
          pages_(pages),
          pool_(*hardware.cxl),
          transfer_(step.graph, pool_.fabric, hardware.gpus),
          memory_(step.graph.add_resource("CXL memory", "cxl")) {}

    Result<std::vector<TaskId>> attend(FcBuilder& fc, int layer, const BatchPart& part,
                                       TaskId qkv) override {
        const auto count = static_cast<double>(request_count(part.requests));
        write_back(layer, count, qkv);
        std::vector<TaskId> ready{qkv};
        double tokens = mean_kept_tokens(job_.model, layer, part.requests) * count;
        if (kv::selects(job_.model, job_.format, layer)) {
            PageCounts sum;
            for (const RequestGroup& group : part.requests) {
                const PageCounts pages = page_counts(job_, pages_, group.context_tokens);
                const auto requests = static_cast<double>(group.count);
                sum.scanned += requests * pages.scanned;
                sum.selected += requests * pages.selected;
                sum.recalled += requests * pages.recalled;
            }
            ready = recall(layer, sum.recalled, score(fc, layer, sum, qkv));
            tokens = std::min(tokens, sum.selected * page_tokens());
        }
        Attention op;
        op.requests = count;
        op.query_heads = fc.shard().query_heads;
        op.kv_heads = fc.shard().kv_heads;
        op.head_dim = job_.model.head_dim;
        op.tokens = tokens / count;
        op.kv_bits = kv::bits(job_.format.value_type);
        const TaskId attended =
            fc.gpu_task(step_.graph, "attention", "attention", layer, op, ready);
        step_.kv_bytes_read +=
            step_.graph.tasks().back().bytes / fc.shard().kv_share * fc.shard().kv_copies;
        return std::vector<TaskId>{attended};
    }

  private:
    double page_tokens() const { return static_cast<double>(job_.format.page_tokens); }

    // K and V of one token in one layer, all heads.
    double token_bytes() const {
        return static_cast<double>(job_.model.kv_values_per_token_layer()) *
               kv::bits(job_.format.value_type) / 8.0;
    }

    // Bytes per module: pages are interleaved.
    std::vector<double> interleaved(double bytes) const {
        const auto modules = static_cast<std::size_t>(pool_.fabric.devices);
        return std::vector<double>(modules, bytes / static_cast<double>(modules));
    }

    // New keys and values go to CXL memory; nothing in this step waits for them.
    void write_back(int layer, double requests, TaskId qkv) {
        const double bytes = requests * token_bytes();
        const auto arrived = transfer_.scatter(step_.graph, layer, interleaved(bytes), qkv);
        access("write_back", layer, bytes, arrived);
    }

    // All modules read or write their share of `bytes`.
    TaskId access(std::string_view name, int layer, double bytes,
                  const std::vector<TaskId>& after) {
        Task task;
        task.name = task.phase = name;
        task.resource = memory_;
        task.layer = layer;
        task.duration_s = bytes / (pool_.bytes_per_s * pool_.fabric.devices);
        task.bytes = bytes;
        task.energy.busy_j = pool_.active_power_w * pool_.fabric.devices * task.duration_s;
        return step_.graph.add(task, after);
    }

    // `pages`: sums over the part's requests.
    TaskId score(FcBuilder& fc, int layer, const PageCounts& pages, TaskId qkv) {
        DigestScan scan;
        scan.pages = pages.scanned;
        scan.query_heads = fc.shard().query_heads;
        scan.kv_heads = fc.shard().kv_heads;
        scan.head_dim = job_.model.head_dim;
        scan.digest_bits = kv::bits(job_.format.digest_type);
        TaskId last = fc.gpu_task(step_.graph, "digest_scan", "digest_scan", layer, scan, {qkv});
        step_.digest_bytes_read +=
            step_.graph.tasks().back().bytes / fc.shard().kv_share * fc.shard().kv_copies;
        // Selection is shared by the heads of a layer, which lie on different GPUs.
        constexpr double score_bytes = 4.0;
        last = fc.all_reduce(step_.graph, layer, score_bytes * scan.pages, last);
        return fc.gpu_task(step_.graph, "top_k", "top_k", layer, TopK{scan.pages, pages.selected},
                           {last});
    }

    std::vector<TaskId> recall(int layer, double pages, TaskId sorted) {
        const double bytes = pages * page_tokens() * token_bytes();
        if (bytes == 0.0) return {sorted};
        step_.bytes_recalled += bytes;
        const std::vector<double> each = interleaved(bytes);
        std::vector<TaskId> last = transfer_.stream_up(step_.graph, layer, "recall", each,
                                                       std::vector<TaskId>(each.size(), sorted));
        last.push_back(access("recall", layer, bytes, {sorted}));
        return last;
    }

    StepPlan& step_;
    const DecodeJob& job_;
    const PageShares& pages_;
    const CxlPool& pool_;
    FabricTransfer transfer_;
    ResourceId memory_;
};

class RecallPolicy final : public Policy {
  public:
    std::string_view name() const override { return "recall"; }
    std::string_view summary() const override {
        return "KV in plain CXL memory, selected pages recalled to the GPUs and attended there";
    }
    bool selects_pages() const override { return true; }
    bool uses_cxl() const override { return true; }

    Status supports(const SystemSpec& system) const override {
        if (system.has("cxl")) return {};
        return bad_input("--policy", fmt::format("'recall' cannot run on {}: it has no plain CXL "
                                                 "memory; take a system such as a100x2-cxl",
                                                 system.name));
    }

    Fit fit(const Hardware& hardware, const DecodeJob& job) const override {
        const CxlPool& pool = *hardware.cxl;
        const GpuPool hbm = GpuPool::of(hardware, job);
        Fit fit;
        fit.request = kv::request_bytes(job.model, job.format, job.context_tokens);
        fit.kv_capacity_bytes = pool.capacity_bytes * pool.fabric.devices;
        fit.kv_request_bytes = static_cast<double>(fit.request.kv_bytes);
        SimulationResult::Capacity& capacity = fit.capacity;
        capacity.device = "gpu";
        capacity.devices = hardware.gpus;
        capacity.capacity_bytes = hardware.gpu_usable_bytes;
        capacity.weight_bytes = hbm.weight_bytes;
        capacity.digest_bytes = hbm.digest_bytes_per_request;
        const double always = hbm.digest_bytes_per_request + hbm.resident_bytes_per_request;
        const double budget = budget_bytes(hbm, job);
        capacity.request_bytes = always + budget;
        const auto in_cxl =
            static_cast<std::int64_t>(std::floor(fit.kv_capacity_bytes / fit.kv_request_bytes));
        const auto whole = [](double count) {
            return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(count)));
        };
        fit.max_batch = std::min(in_cxl, whole(hbm.left_bytes / (always + budget)));
        if (fit.max_batch > 0) {
            // Digests of all requests, the pages of one at a time.
            const double more = always > 0.0 ? (hbm.left_bytes - budget) / always : 1e9;
            fit.max_split_batch = std::min(in_cxl, whole(std::min(more, 1e9)));
        } else {
            fit.reason = shortage(fit, hbm, budget, in_cxl);
        }
        capacity.requests_per_device = fit.max_batch;
        return fit;
    }

    kv::MicroBatches micro_batches(const Hardware& hardware, const DecodeJob& job,
                                   std::int64_t batch) const override {
        const GpuPool hbm = GpuPool::of(hardware, job);
        const std::int64_t pages = hbm.pool_pages(batch);
        return kv::micro_batches(pages, job.budget_pages(job.context_tokens), batch);
    }

    ResidencySetup residency(const Hardware& hardware, const DecodeJob& job,
                             std::int64_t batch) const override {
        const GpuPool hbm = GpuPool::of(hardware, job);
        const kv::MicroBatches split = micro_batches(hardware, job, batch);
        // Pages beyond the budget set stay resident too: they may be selected again. A pool that
        // holds the whole context needs no recall.
        const std::int64_t context_pages =
            kv::page_count(job.context_tokens, job.format.page_tokens);
        const std::int64_t pages =
            std::min(context_pages, hbm.pool_pages(batch) / std::max<std::int64_t>(1, split.size));
        return {"recall", pages, split.count == 1};
    }

    std::unique_ptr<AttentionSide> attention(StepPlan& step, const Hardware& hardware,
                                             const DecodeJob& job,
                                             const PageShares& pages) const override {
        return std::make_unique<RecallAttention>(step, hardware, job, pages);
    }

  private:
    // Of one request on one GPU.
    static double budget_bytes(const GpuPool& hbm, const DecodeJob& job) {
        return static_cast<double>(job.budget_pages(job.context_tokens)) * hbm.page_bytes;
    }

    static std::string shortage(const Fit& fit, const GpuPool& hbm, double budget,
                                std::int64_t in_cxl) {
        if (in_cxl == 0) {
            return fmt::format("one request's KV takes {}, all CXL memory is {}",
                               format_bytes(fit.kv_request_bytes),
                               format_bytes(fit.kv_capacity_bytes));
        }
        return fmt::format(
            "{} has {} of HBM to use, its share of the weights takes "
            "{}, "
            "and of one request {} of digests and {} of budgeted pages; a smaller --budget may fit",
            each_gpu(fit.capacity.devices), format_bytes(fit.capacity.capacity_bytes),
            format_bytes(hbm.weight_bytes), format_bytes(hbm.digest_bytes_per_request),
            format_bytes(budget + hbm.resident_bytes_per_request));
    }
};

}  // namespace

std::unique_ptr<Policy> make_recall_policy() {
    return std::make_unique<RecallPolicy>();
}

}  // namespace memside
