// `pnm-kv`: the KV cache lives in CXL-PNM devices, each of which selects and attends the pages of
// its own requests; GPUs compute the rest (Kim et al., PACT 2025, "PNM-KV"). Attention is data
// parallel over requests, so a request must fit one device, and nothing is ever recalled.
#include <cmath>

#include "base/number.h"
#include "cluster/fc_layer.h"
#include "cluster/pnm_transfer.h"
#include "cluster/policy.h"

namespace memside {
namespace {

constexpr double activation_value_bytes = 2.0;  // queries, keys, values and outputs travel as FP16

// Requests per device that holds any: as even as whole requests allow.
std::vector<double> spread(std::int64_t batch, int devices) {
    std::vector<double> requests;
    for (std::int64_t d = 0; d < std::min<std::int64_t>(batch, devices); ++d) {
        requests.push_back(static_cast<double>(batch / devices + (d < batch % devices ? 1 : 0)));
    }
    return requests;
}

// What one device does for one layer of `requests` requests.
struct LayerWork {
    KvAppend append;
    std::optional<DigestScan> scan;  // none where the layer attends all it keeps
    std::optional<TopK> top_k;       // of one request
    Attention attention;
};

LayerWork layer_work(const DecodeJob& job, int layer, double requests) {
    const ModelSpec& model = job.model;
    const kv::PageFormat& format = job.format;
    const double kv_bits = kv::bits(format.value_type);
    const double kv_width = static_cast<double>(model.kv_heads) * model.head_dim;
    const auto page_tokens = static_cast<double>(format.page_tokens);
    const std::int64_t kept = model.kept_tokens(layer, job.context_tokens);
    auto attended = static_cast<double>(kept);

    LayerWork work;
    work.append.kv_bytes = requests * 2.0 * kv_width * kv_bits / 8.0;
    if (kv::selects(model, format, layer)) {
        const double digest_bits = kv::bits(format.digest_type);
        const auto pages = static_cast<double>(kv::page_count(kept, format.page_tokens));
        const auto selected = static_cast<double>(
            kv::page_count(std::min(job.budget_tokens, kept), format.page_tokens));
        attended = std::min(attended, selected * page_tokens);
        // A page that fills is read back once (its keys) to build its digest: once in page_tokens
        // steps for every request.
        work.append.digest_read_bytes = requests * kv_width * kv_bits / 8.0;
        work.append.digest_write_bytes =
            requests * kv::digest_vectors * kv_width * digest_bits / 8.0 / page_tokens;
        work.scan = DigestScan{requests * pages, static_cast<double>(model.heads),
                               static_cast<double>(model.kv_heads),
                               static_cast<double>(model.head_dim), digest_bits};
        work.top_k = TopK{pages, selected};
    }
    work.attention = Attention{requests,
                               static_cast<double>(model.heads),
                               static_cast<double>(model.kv_heads),
                               static_cast<double>(model.head_dim),
                               attended,
                               kv_bits};
    return work;
}

class PnmKvPolicy final : public Policy {
  public:
    std::string_view name() const override { return "pnm-kv"; }
    std::string_view summary() const override {
        return "KV in CXL-PNM devices, which select and attend pages; FC on the GPUs";
    }
    bool selects_pages() const override { return true; }
    bool uses_pnm() const override { return true; }

    Status supports(const SystemSpec& system) const override {
        if (system.has("pnm")) return {};
        return bad_input("--policy",
                         fmt::format("'pnm-kv' cannot run on {}: it has no CXL-PNM devices; take a "
                                     "system such as a100x2-pnm8",
                                     system.name));
    }

    Fit fit(const Hardware& hardware, const DecodeJob& job) const override {
        const PnmPool& pool = *hardware.pnm;
        const TensorShard shard = TensorShard::of(job.model, hardware.gpus);
        Fit fit;
        fit.request = kv::request_bytes(job.model, job.format, job.context_tokens);
        SimulationResult::Capacity& capacity = fit.capacity;
        if (shard.weight_bytes > hardware.gpu_usable_bytes) {
            capacity.device = "gpu";
            capacity.devices = hardware.gpus;
            capacity.capacity_bytes = hardware.gpu_usable_bytes;
            capacity.weight_bytes = shard.weight_bytes;
            fit.reason =
                fmt::format("the weights take {} on each of {} GPUs, which have {} of HBM to use",
                            format_bytes(shard.weight_bytes), hardware.gpus,
                            format_bytes(hardware.gpu_usable_bytes));
            return fit;
        }
        capacity.device = "pnm";
        capacity.devices = pool.devices;
        capacity.capacity_bytes = pool.capacity_bytes;
        if (pool.digest_in_capacity) {
            capacity.digest_bytes = static_cast<double>(fit.request.digest_bytes);
        }
        capacity.request_bytes = static_cast<double>(fit.request.kv_bytes) + capacity.digest_bytes;
        capacity.requests_per_device =
            static_cast<std::int64_t>(std::floor(capacity.capacity_bytes / capacity.request_bytes));
        fit.max_batch = capacity.requests_per_device * pool.devices;
        fit.kv_capacity_bytes = pool.capacity_bytes * pool.devices;
        fit.kv_request_bytes = static_cast<double>(fit.request.kv_bytes);
        if (fit.max_batch == 0) fit.reason = shortage(pool, job, fit);
        return fit;
    }

    Result<StepPlan> plan(const Hardware& hardware, const DecodeJob& job,
                          std::int64_t batch) const override {
        const ModelSpec& model = job.model;
        const PnmPool& pool = *hardware.pnm;
        const std::vector<double> requests = spread(batch, pool.devices);
        StepPlan step;
        TaskGraph& graph = step.graph;
        const ResourceId gpu = graph.add_resource("GPUs", "gpu");
        const ResourceId gpu_link = graph.add_resource("GPU link", "gpu_link");
        std::vector<ResourceId> devices;
        for (std::size_t d = 0; d < requests.size(); ++d) {
            devices.push_back(graph.add_resource(fmt::format("PNM {}", d), "pnm"));
        }
        PnmTransfer transfer(graph, pool, hardware.gpus, static_cast<int>(requests.size()));
        FcBuilder fc(model, hardware, static_cast<double>(batch), gpu, gpu_link);

        // Per request and layer: query, key and value down, the attention output up.
        std::vector<double> down;
        std::vector<double> up;
        for (const double r : requests) {
            down.push_back(r * (model.heads + 2.0 * model.kv_heads) * model.head_dim *
                           activation_value_bytes);
            up.push_back(r * model.heads * model.head_dim * activation_value_bytes);
        }

        double selected_pages = 0.0;
        int selecting_layers = 0;
        std::vector<TaskId> after;
        for (int layer = 0; layer < model.layers; ++layer) {
            const TaskId qkv = fc.before_attention(graph, layer, after);
            const std::vector<TaskId> arrived = transfer.scatter(graph, layer, down, qkv);
            std::vector<TaskId> attended;
            for (std::size_t d = 0; d < requests.size(); ++d) {
                const LayerWork work = layer_work(job, layer, requests[d]);
                MEMSIDE_TRY(const TaskId last,
                            attend(step, pool, devices[d], layer, work, requests[d], arrived[d]));
                attended.push_back(last);
                if (d == 0 && work.top_k) {
                    selected_pages += work.top_k->k;
                    ++selecting_layers;
                }
            }
            after = {fc.after_attention(graph, layer, transfer.gather(graph, layer, up, attended))};
        }
        fc.finish(graph, after.front());
        step.gpu_energy_j = fc.gpu_energy_j();
        step.link_energy_j = fc.link_energy_j() + transfer.energy_j();
        if (selecting_layers > 0) step.pages_selected = selected_pages / selecting_layers;
        step.pages_recalled = 0.0;  // pages are attended where they are
        return step;
    }

  private:
    // Append, score, sort, attend on one device, in order.
    static Result<TaskId> attend(StepPlan& step, const PnmPool& pool, ResourceId device, int layer,
                                 const LayerWork& work, double requests, TaskId after) {
        const auto add = [&](std::string_view name, const Operation& operation,
                             double repeats) -> Status {
            MEMSIDE_TRY(const OperationCost cost, pool.device->cost(operation));
            Task task;
            task.name = name;
            task.phase = name;
            task.resource = device;
            task.layer = layer;
            task.duration_s = cost.time_s * repeats;
            task.bytes = cost.bytes * repeats;
            task.flops = cost.flops * repeats;
            step.device_energy_j += cost.energy_j * repeats;
            after = step.graph.add(task, {after});
            return {};
        };
        MEMSIDE_CHECK(add("append", work.append, 1.0));
        if (work.scan) {
            MEMSIDE_CHECK(add("digest_scan", *work.scan, 1.0));
            step.digest_bytes_read += step.graph.tasks().back().bytes;
            MEMSIDE_CHECK(add("top_k", *work.top_k, requests));
        }
        MEMSIDE_CHECK(add("attention", work.attention, 1.0));
        step.kv_bytes_read += step.graph.tasks().back().bytes;
        return after;
    }

    static std::string shortage(const PnmPool& pool, const DecodeJob& job, const Fit& fit) {
        std::string reason =
            fmt::format("one request needs {} of the {} of a device ({} of KV",
                        format_bytes(fit.capacity.request_bytes), format_bytes(pool.capacity_bytes),
                        format_bytes(static_cast<double>(fit.request.kv_bytes)));
        if (!pool.digest_in_capacity) return reason + ", digests not counted)";
        reason += fmt::format(" and {} of digests at page size {})",
                              format_bytes(static_cast<double>(fit.request.digest_bytes)),
                              job.format.page_tokens);
        if (static_cast<double>(fit.request.kv_bytes) > pool.capacity_bytes) return reason;
        // Only the digests are too many: name the smallest page that would do.
        for (kv::PageFormat format = job.format; format.page_tokens <= job.context_tokens;) {
            format.page_tokens *= 2;
            const kv::RequestBytes larger =
                kv::request_bytes(job.model, format, job.context_tokens);
            const auto needed = static_cast<double>(larger.kv_bytes + larger.digest_bytes);
            if (needed <= pool.capacity_bytes) {
                return reason + fmt::format(
                                    "; --page-size {} needs {}, and --set "
                                    "pnm.digest_in_capacity=false keeps digests elsewhere",
                                    format.page_tokens, format_bytes(needed));
            }
        }
        return reason;
    }
};

}  // namespace

std::unique_ptr<Policy> make_pnm_kv_policy() {
    return std::make_unique<PnmKvPolicy>();
}

}  // namespace memside
