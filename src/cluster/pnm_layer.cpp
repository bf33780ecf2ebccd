#include "cluster/pnm_layer.h"

#include <algorithm>

#include "cluster/pnm_program.h"

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

namespace {

// A kernel's name in reports, as of the same operations on GPUs.
std::string_view task_name(pnm::Kernel kernel) {
    switch (kernel) {
        case pnm::Kernel::append:
            return "append";
        case pnm::Kernel::score:
            return "digest_scan";
        case pnm::Kernel::top_k:
            return "top_k";
        case pnm::Kernel::attention:
            break;
    }
    return "attention";
}

}  // namespace

const pnm::LayerProgram& PnmDevices::program(int layer) const {
    return kv::selects(job_.model, job_.format, layer) ? pool_.programs.selecting
                                                       : pool_.programs.whole;
}

Status PnmDevices::call(const pnm::KernelCall& kernel, std::size_t device, int layer,
                        const pnm::Symbols& symbols, double repeats, TaskId& after) {
    return add(device, task_name(kernel.kernel), layer, kernel.bind(symbols), repeats, after);
}

Result<std::vector<TaskId>> PnmDevices::select(int layer, const std::vector<Requests>& by_device,
                                               const std::vector<TaskId>& arrived) {
    using enum pnm::Symbol;
    std::vector<TaskId> ready = arrived;
    for (std::size_t d = 0; d < by_device.size(); ++d) {
        pnm::Symbols symbols = layer_symbols(job_);
        symbols[requests] = static_cast<double>(request_count(by_device[d]));
        if (symbols[requests] == 0.0) continue;
        for (const RequestGroup& group : by_device[d]) {
            symbols[pages] += static_cast<double>(group.count) *
                              page_counts(job_, pages_, group.context_tokens).scanned;
        }
        for (const pnm::KernelCall& kernel : program(layer).calls) {
            if (kernel.kernel == pnm::Kernel::attention) break;
            if (kernel.kernel != pnm::Kernel::top_k) {
                MEMSIDE_CHECK(call(kernel, d, layer, symbols, 1.0, ready[d]));
                if (kernel.kernel == pnm::Kernel::score) {
                    step_.digest_bytes_read += step_.graph.tasks().back().bytes;
                }
                continue;
            }
            for (const RequestGroup& group : by_device[d]) {
                const PageCounts counted = page_counts(job_, pages_, group.context_tokens);
                symbols[scores] = counted.scanned;
                symbols[selected] = counted.selected;
                MEMSIDE_CHECK(
                    call(kernel, d, layer, symbols, static_cast<double>(group.count), ready[d]));
            }
        }
    }
    return ready;
}

Result<std::vector<TaskId>> PnmDevices::attend(int layer, const std::vector<Requests>& by_device,
                                               bool pool_elsewhere,
                                               const std::vector<TaskId>& after) {
    using enum pnm::Symbol;
    const bool selecting = kv::selects(job_.model, job_.format, layer);
    std::vector<TaskId> ready = after;
    for (std::size_t d = 0; d < by_device.size(); ++d) {
        pnm::Symbols symbols = layer_symbols(job_);
        symbols[requests] = static_cast<double>(request_count(by_device[d]));
        if (symbols[requests] == 0.0) continue;
        double tokens = 0.0;
        for (const RequestGroup& group : by_device[d]) {
            auto attended =
                static_cast<double>(job_.model.kept_tokens(layer, group.context_tokens));
            if (selecting) {
                const PageCounts counted = page_counts(job_, pages_, group.context_tokens);
                const double here = counted.selected - (pool_elsewhere ? counted.in_pool : 0.0);
                attended = std::min(
                    attended, std::max(0.0, here) * static_cast<double>(job_.format.page_tokens));
            }
            tokens += attended * static_cast<double>(group.count);
        }
        symbols[attended_tokens] = tokens / symbols[requests];
        MEMSIDE_CHECK(call(program(layer).calls.back(), d, layer, symbols, 1.0, ready[d]));
        step_.kv_bytes_read += step_.graph.tasks().back().bytes;
    }
    return ready;
}

}  // namespace memside
