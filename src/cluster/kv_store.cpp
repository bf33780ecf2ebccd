#include "cluster/kv_store.h"

#include "cluster/fabric_transfer.h"

namespace memside {
namespace {

// Bytes of a layer of one request.
struct LayerBytes {
    double kv = 0;
    double keys = 0;    // read to build digests; 0 in a layer that does not select
    double digest = 0;  // likewise
};

LayerBytes layer_bytes(const DecodeJob& job, int layer, std::int64_t context) {
    const auto tokens = static_cast<double>(job.model.kept_tokens(layer, context));
    const double values = static_cast<double>(job.model.kv_values_per_token_layer());
    LayerBytes bytes;
    bytes.kv = tokens * values * kv::bits(job.format.value_type) / 8.0;
    if (!kv::selects(job.model, job.format, layer)) return bytes;
    bytes.keys = bytes.kv / 2.0;
    const auto pages = static_cast<double>(kv::page_count(context, job.format.page_tokens));
    bytes.digest =
        pages * kv::digest_vectors * values / 2.0 * kv::bits(job.format.digest_type) / 8.0;
    return bytes;
}

// It stays where it was computed.
class HbmStore final : public KvStore {
  public:
    Result<std::vector<TaskId>> store(FcBuilder&, int, TaskId computed) override {
        return std::vector<TaskId>{computed};
    }
};

// Interleaved over the modules; the GPUs build the digests and keep them. So do they the pages that
// the first step selects: no page has left yet when the prompt's last query has scored it.
class CxlStore final : public KvStore {
  public:
    CxlStore(TaskGraph& graph, const Hardware& hardware, const DecodeJob& job, std::int64_t context)
        : graph_(graph),
          job_(job),
          context_(context),
          pool_(*hardware.cxl),
          transfer_(graph, pool_.fabric, hardware.gpus),
          memory_(graph.add_resource("CXL memory", "cxl")) {}

    Result<std::vector<TaskId>> store(FcBuilder& fc, int layer, TaskId computed) override {
        const LayerBytes bytes = layer_bytes(job_, layer, context_);
        const auto modules = static_cast<double>(pool_.fabric.devices);
        const std::vector<double> each(static_cast<std::size_t>(pool_.fabric.devices),
                                       bytes.kv / modules);
        std::vector<TaskId> last = transfer_.stream_down(graph_, layer, "fill", each, computed);
        Task write;
        write.name = write.phase = "fill";
        write.resource = memory_;
        write.layer = layer;
        write.duration_s = bytes.kv / (pool_.bytes_per_s * modules);
        write.bytes = bytes.kv;
        write.energy.busy_j = pool_.active_power_w * modules * write.duration_s;
        last.push_back(graph_.add(write, {computed}));
        if (bytes.keys > 0.0) {
            const double share = fc.shard().kv_share;
            // A smaller and a larger of every key's channels: two operations a value.
            const VectorOp digests{
                share * (bytes.keys + bytes.digest),
                share * bytes.keys * 8.0 / kv::bits(job_.format.value_type) * 2.0};
            last.push_back(fc.gpu_task(graph_, "digest", "digest", layer, digests, {computed}));
        }
        return last;
    }

    std::vector<ResourceId> links() const override { return transfer_.down_links(); }

  private:
    TaskGraph& graph_;
    const DecodeJob& job_;
    std::int64_t context_;
    const CxlPool& pool_;
    FabricTransfer transfer_;
    ResourceId memory_;
};

// On the one device that owns the request, which reads the keys back to build the digests. With
// pages that stay on the GPUs, the device scores and sorts for the prompt's last query, and those
// pages come back.
class PnmStore final : public KvStore {
  public:
    PnmStore(TaskGraph& graph, const Hardware& hardware, const DecodeJob& job, std::int64_t context,
             std::int64_t steady_pages)
        : graph_(graph),
          job_(job),
          context_(context),
          steady_pages_(static_cast<double>(steady_pages)),
          pool_(*hardware.pnm),
          transfer_(graph, pool_.fabric, hardware.gpus),
          device_(graph.add_resource("PNM 0", "pnm")) {
        // The others idle.
        for (int d = 1; d < pool_.fabric.devices; ++d) {
            graph.add_resource(fmt::format("PNM {}", d), "pnm");
        }
    }

    Result<std::vector<TaskId>> store(FcBuilder&, int layer, TaskId computed) override {
        const LayerBytes bytes = layer_bytes(job_, layer, context_);
        std::vector<TaskId> last =
            transfer_.stream_down(graph_, layer, "fill", to_owner(bytes.kv), computed);
        KvAppend append;
        append.kv_bytes = bytes.kv;
        append.digest_read_bytes = bytes.keys;
        append.digest_write_bytes = bytes.digest;
        MEMSIDE_CHECK(add("digest", layer, append, last));
        if (bytes.keys == 0.0 || steady_pages_ == 0.0) return last;
        DigestScan scan;
        scan.pages = static_cast<double>(kv::page_count(context_, job_.format.page_tokens));
        scan.query_heads = job_.model.heads;
        scan.kv_heads = job_.model.kv_heads;
        scan.head_dim = job_.model.head_dim;
        scan.digest_bits = kv::bits(job_.format.digest_type);
        MEMSIDE_CHECK(add("steady", layer, scan, last));
        MEMSIDE_CHECK(add("steady", layer, TopK{scan.pages, steady_pages_}, last));
        const double token_bytes =
            bytes.kv / static_cast<double>(job_.model.kept_tokens(layer, context_));
        const auto page_tokens = static_cast<double>(job_.format.page_tokens);
        const auto pages = to_owner(steady_pages_ * page_tokens * token_bytes);
        return transfer_.stream_up(graph_, layer, "steady", pages,
                                   std::vector<TaskId>(pages.size(), last.front()));
    }

    std::vector<ResourceId> links() const override { return transfer_.down_links(); }

  private:
    std::vector<double> to_owner(double bytes) const {
        std::vector<double> each(static_cast<std::size_t>(pool_.fabric.devices), 0.0);
        each.front() = bytes;
        return each;
    }

    // An operation of the device, after which alone `last` is ready.
    Status add(std::string_view phase, int layer, const Operation& operation,
               std::vector<TaskId>& last) {
        MEMSIDE_TRY(const OperationCost cost, pool_.device->cost(operation));
        Task task;
        task.name = task.phase = phase;
        task.resource = device_;
        task.layer = layer;
        task.duration_s = cost.time_s;
        task.bytes = cost.bytes;
        task.flops = cost.flops;
        task.energy = task_energy(cost, 1.0);
        last = {graph_.add(task, last)};
        return {};
    }

    TaskGraph& graph_;
    const DecodeJob& job_;
    std::int64_t context_;
    double steady_pages_;
    const PnmPool& pool_;
    FabricTransfer transfer_;
    ResourceId device_;
};

}  // namespace

std::unique_ptr<KvStore> make_kv_store(TaskGraph& graph, const Policy& policy,
                                       const Hardware& hardware, const DecodeJob& job,
                                       std::int64_t context, std::int64_t batch) {
    if (policy.uses_pnm()) {
        DecodeJob one = job;
        one.context_tokens = context;
        const ResidencySetup setup = policy.residency(hardware, one, batch);
        return std::make_unique<PnmStore>(graph, hardware, job, context, setup.pool_pages);
    }
    if (policy.uses_cxl()) return std::make_unique<CxlStore>(graph, hardware, job, context);
    return std::make_unique<HbmStore>();
}

}  // namespace memside
