#include "cluster/pnm_layer.h"

#include <algorithm>

namespace memside {

std::vector<double> counts(const std::vector<Requests>& by_device) {
    std::vector<double> each;
    for (const Requests& requests : by_device) {
        each.push_back(static_cast<double>(request_count(requests)));
    }
    return each;
}

PnmDevices::PnmDevices(StepPlan& step, const PnmPool& pool, const DecodeJob& job,
                       const PageShares& pages)
    : step_(step), pool_(pool), job_(job), pages_(pages) {
    for (int d = 0; d < pool.fabric.devices; ++d) {
        resources_.push_back(step.graph.add_resource(fmt::format("PNM {}", d), "pnm"));
    }
}

Status PnmDevices::add(std::size_t device, std::string_view name, int layer,
                       const Operation& operation, double repeats, TaskId& after) {
    MEMSIDE_TRY(const OperationCost cost, pool_.device->cost(operation));
    Task task;
    task.name = name;
    task.phase = name;
    task.resource = resources_[device];
    task.layer = layer;
    task.duration_s = cost.time_s * repeats;
    task.bytes = cost.bytes * repeats;
    task.flops = cost.flops * repeats;
    task.energy = task_energy(cost, repeats);
    after = step_.graph.add(task, {after});
    return {};
}

Result<std::vector<TaskId>> PnmDevices::select(int layer, const std::vector<Requests>& by_device,
                                               const std::vector<TaskId>& arrived) {
    const ModelSpec& model = job_.model;
    const kv::PageFormat& format = job_.format;
    const double kv_value_bytes = kv::bits(format.value_type) / 8.0;
    const double digest_bits = kv::bits(format.digest_type);
    const double kv_width = static_cast<double>(model.kv_heads) * model.head_dim;
    const bool selecting = kv::selects(model, format, layer);
    std::vector<TaskId> ready = arrived;
    for (std::size_t d = 0; d < by_device.size(); ++d) {
        const auto requests = static_cast<double>(request_count(by_device[d]));
        if (requests == 0.0) continue;
        KvAppend append;
        append.requests = requests;
        append.kv_bytes = requests * 2.0 * kv_width * kv_value_bytes;
        if (selecting) {
            // A page that fills is read back once (its keys) to build its digest: for every
            // request once in page_tokens steps, one token's keys a step on average.
            append.digest_read_bytes = requests * kv_width * kv_value_bytes;
            append.digest_write_bytes = requests * kv::digest_vectors * kv_width * digest_bits /
                                        8.0 / static_cast<double>(format.page_tokens);
        }
        MEMSIDE_CHECK(add(d, "append", layer, append, 1.0, ready[d]));
        if (!selecting) continue;
        DigestScan scan{0.0, static_cast<double>(model.heads), static_cast<double>(model.kv_heads),
                        static_cast<double>(model.head_dim), digest_bits};
        for (const RequestGroup& group : by_device[d]) {
            scan.pages += static_cast<double>(group.count) *
                          page_counts(job_, pages_, group.context_tokens).scanned;
        }
        MEMSIDE_CHECK(add(d, "digest_scan", layer, scan, 1.0, ready[d]));
        step_.digest_bytes_read += step_.graph.tasks().back().bytes;
        for (const RequestGroup& group : by_device[d]) {
            const PageCounts pages = page_counts(job_, pages_, group.context_tokens);
            MEMSIDE_CHECK(add(d, "top_k", layer, TopK{pages.scanned, pages.selected},
                              static_cast<double>(group.count), ready[d]));
        }
    }
    return ready;
}

Result<std::vector<TaskId>> PnmDevices::attend(int layer, const std::vector<Requests>& by_device,
                                               bool pool_elsewhere,
                                               const std::vector<TaskId>& after) {
    const bool selecting = kv::selects(job_.model, job_.format, layer);
    std::vector<TaskId> ready = after;
    for (std::size_t d = 0; d < by_device.size(); ++d) {
        const auto requests = static_cast<double>(request_count(by_device[d]));
        if (requests == 0.0) continue;
        double tokens = 0.0;
        for (const RequestGroup& group : by_device[d]) {
            auto attended =
                static_cast<double>(job_.model.kept_tokens(layer, group.context_tokens));
            if (selecting) {
                const PageCounts pages = page_counts(job_, pages_, group.context_tokens);
                const double here = pages.selected - (pool_elsewhere ? pages.in_pool : 0.0);
                attended = std::min(
                    attended, std::max(0.0, here) * static_cast<double>(job_.format.page_tokens));
            }
            tokens += attended * static_cast<double>(group.count);
        }
        Attention attention;
        attention.requests = requests;
        attention.query_heads = job_.model.heads;
        attention.kv_heads = job_.model.kv_heads;
        attention.head_dim = job_.model.head_dim;
        attention.tokens = tokens / requests;
        attention.kv_bits = kv::bits(job_.format.value_type);
        // Pages that are selected lie anywhere; what is attended whole is read in one sweep.
        attention.page_tokens = selecting ? static_cast<double>(job_.format.page_tokens) : 0.0;
        MEMSIDE_CHECK(add(d, "attention", layer, attention, 1.0, ready[d]));
        step_.kv_bytes_read += step_.graph.tasks().back().bytes;
    }
    return ready;
}

}  // namespace memside
