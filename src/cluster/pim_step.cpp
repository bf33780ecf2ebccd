#include "cluster/pim_step.h"

#include <algorithm>
#include <functional>

#include "pim/instruction.h"

namespace memside {
namespace {

// Requests dealt to groups, longest first, each to the group with the fewest tokens.
std::vector<std::vector<std::int64_t>> deal(std::vector<std::int64_t> contexts, std::size_t count) {
    std::sort(contexts.begin(), contexts.end(), std::greater<>());
    std::vector<std::vector<std::int64_t>> groups(count);
    std::vector<std::int64_t> tokens(count);
    for (const std::int64_t context : contexts) {
        const auto least = std::min_element(tokens.begin(), tokens.end()) - tokens.begin();
        groups[static_cast<std::size_t>(least)].push_back(context);
        tokens[static_cast<std::size_t>(least)] += context + 1;
    }
    return groups;
}

// What a stage does for a group.
struct StageWork {
    PimWork work;
    double time_s = 0;
};

class StepPlanner {
  public:
    StepPlanner(const PimLayer& layer, const PimPlan& plan, const ModelSpec& model,
                const PimOptions& options)
        : layer_(layer), plan_(plan) {
        for (const PimStage& stage : plan.stages) kinds_.push_back(stage.kinds(model, options));
    }

    Result<PimStep> plan(const std::vector<std::vector<std::int64_t>>& groups) {
        MEMSIDE_CHECK(add_groups(groups));
        const PipelineStep timed = pipeline_step(times_, hop_s_);
        PimStep step;
        step.step_s = timed.step_s;
        step.groups = std::ssize(groups);
        step.most_busy_s = timed.slowest_s;
        for (std::size_t s = 0; s < stages_.size(); ++s) {
            for (const StageWork& part : stages_[s]) {
                step.work.add(part.work);
                step.mean_busy_s += part.time_s / static_cast<double>(stages_.size());
            }
        }
        step.work.link_bytes += hop_bytes_;
        add_phases(timed, step);
        return step;
    }

  private:
    Status add_groups(const std::vector<std::vector<std::int64_t>>& groups) {
        stages_.resize(plan_.stages.size());
        times_.resize(plan_.stages.size());
        for (const std::vector<std::int64_t>& contexts : groups) {
            const std::int64_t requests = std::ssize(contexts);
            std::array<PimWork, pim_layer_kinds> layers;
            for (std::size_t kind = 0; kind < layers.size(); ++kind) {
                const bool used = std::any_of(kinds_.begin(), kinds_.end(),
                                              [&](const auto& of) { return of[kind] > 0; });
                if (!used) continue;
                MEMSIDE_TRY(layers[kind], layer_.layer(contexts, static_cast<PimLayerKind>(kind)));
            }
            MEMSIDE_TRY(const PimWork head, layer_.output_head(requests));
            hop_s_ = std::max(hop_s_, layer_.hop_s(requests));
            hop_bytes_ += static_cast<double>(plan_.pp) * layer_.hop_bytes(requests);
            for (std::size_t s = 0; s < plan_.stages.size(); ++s) {
                StageWork part;
                for (std::size_t kind = 0; kind < layers.size(); ++kind) {
                    part.work.add(layers[kind], kinds_[s][kind]);
                }
                if (plan_.stages[s].last) part.work.add(head);
                part.time_s = part.work.time_s();
                times_[s].push_back(part.time_s);
                stages_[s].push_back(std::move(part));
            }
        }
        return {};
    }

    // Of what bounds the step: the busiest stage with all groups, or a group's way through all
    // stages; what is left is time in which the bound itself waits.
    void add_phases(const PipelineStep& timed, PimStep& step) const {
        PimWork bound;
        double hops = 0;
        if (timed.slowest_s >= timed.path_s) {
            for (const StageWork& part : stages_[busiest_stage()]) bound.add(part.work);
        } else {
            const std::size_t group = longest_group();
            for (const std::vector<StageWork>& stage : stages_) bound.add(stage[group].work);
            hops = static_cast<double>(stages_.size()) * hop_s_;
        }
        double sum = 0;
        for (std::size_t i = 0; i < pim_phase_names.size(); ++i) {
            double time_s = bound.phase_s[i];
            if (i == static_cast<std::size_t>(PimPhase::link)) time_s += hops;
            sum += time_s;
            // Pages are picked by few runs only.
            const auto phase = static_cast<PimPhase>(i);
            const bool picks = phase == PimPhase::digest_scan || phase == PimPhase::top_k;
            if (picks && time_s == 0) continue;
            step.phases.push_back({std::string(pim_phase_names[i]), time_s});
        }
        // Sums of many terms may miss by roundings.
        const double bubble = step.step_s - sum;
        if (bubble > 1e-9 * step.step_s) step.phases.push_back({"pipeline bubble", bubble});
    }

    std::size_t busiest_stage() const {
        return most(stages_.size(), [&](std::size_t s) {
            double sum = 0;
            for (const double time : times_[s]) sum += time;
            return sum;
        });
    }
    std::size_t longest_group() const {
        return most(times_.front().size(), [&](std::size_t g) {
            double sum = 0;
            for (const std::vector<double>& stage : times_) sum += stage[g];
            return sum;
        });
    }
    template <typename Value>
    static std::size_t most(std::size_t count, const Value& value) {
        std::size_t best = 0;
        for (std::size_t i = 1; i < count; ++i) {
            if (value(i) > value(best)) best = i;
        }
        return best;
    }

    const PimLayer& layer_;
    const PimPlan& plan_;
    std::vector<std::array<int, pim_layer_kinds>> kinds_;  // by stage
    std::vector<std::vector<StageWork>> stages_;           // by stage and group
    std::vector<std::vector<double>> times_;
    double hop_s_ = 0;
    double hop_bytes_ = 0;
};

}  // namespace

Result<PimStep> plan_pim_step(const ModelSpec& model, const PimMachine& machine,
                              const PimPlan& plan, const PimOptions& options, PimKernels& kernels,
                              std::vector<std::int64_t> contexts) {
    const PimLayer layer(model, machine, plan, options, kernels);
    const std::size_t groups = std::min(contexts.size(), static_cast<std::size_t>(plan.pp));
    return StepPlanner(layer, plan, model, options).plan(deal(std::move(contexts), groups));
}

std::vector<EnergyShare> pim_energy(const PimStep& step, const PimMachine& machine,
                                    const PimDescription& description, const PimOptions& options) {
    constexpr double pico = 1e-12;
    constexpr double milli = 1e-3;
    const pim::EnergyModel& model = description.energy;
    const auto command_pj = model.command_pj();
    const PimKernelTime& kernels = step.work.kernels;
    const auto joules = [&](std::initializer_list<pim::Command> commands) {
        double sum = 0;
        for (const pim::Command command : commands) {
            sum += static_cast<double>(kernels.count(command)) *
                   command_pj[static_cast<std::size_t>(command)] * pico;
        }
        return sum;
    };
    using enum pim::Command;
    const double channels =
        static_cast<double>(machine.modules) * machine.module.channel_groups * pim::channel_count;
    const double channel_s = channels * step.step_s;
    const double idle_s = std::max(0.0, channel_s - kernels.open_channel_s);
    const double controllers_j =
        channel_s / model.channels * (model.logic_mw + model.interface_mw) * milli;
    const double link_j_per_byte = machine.link.energy_j_per_byte;

    std::vector<EnergyShare> parts{
        {"pim_mac", joules({mac, mac16, af16, ewmul16})},
        {"pim_rows", joules({act, act16, pre, prea})},
        {"pim_buffers", joules({wrgb, wrmac16, rdmac16, rdaf16, rdcp, wrcp, tmod})},
        {"pim_banks", joules({rd, wr, wra16})},
    };
    if (options.program.refresh) {
        // While no row is open refresh goes on at its interval.
        const double interval_s = description.timing.nREFI * description.timing.clock_ns * 1e-9;
        const double idle_j =
            idle_s / interval_s * command_pj[static_cast<std::size_t>(ref_all_bank)] * pico;
        parts.push_back({"pim_refresh", joules({ref_all_bank, ref_per_bank}) + idle_j});
    }
    const double open_mw =
        model.active_share * model.active_mw + (1 - model.active_share) * model.precharged_mw;
    parts.push_back(
        {"pim_standby", (kernels.open_channel_s * open_mw + idle_s * model.precharged_mw) * milli});
    parts.push_back({"pim_controllers", controllers_j});
    if (options.program.scheduler == pim::Scheduler::dcs) {
        parts.push_back({"pim_command_scheduling", model.dcs_power_ratio * controllers_j});
    }
    if (!machine.module.fc_in_banks) {
        const double bursts = step.work.external_bytes / (2 * pim::lanes);
        parts.push_back({"weights_read", bursts * command_pj[static_cast<std::size_t>(rd)] * pico});
        parts.push_back({"processor", step.work.matrix_flops * machine.module.matrix_j_per_flop +
                                          static_cast<double>(machine.modules) *
                                              machine.module.processor_power_w * step.step_s});
    }
    parts.push_back({"links", step.work.link_bytes * link_j_per_byte});
    return parts;
}

double pim_mac_utilization(const PimStep& step, const PimMachine& machine,
                           const pim::Timing& timing) {
    const double channels =
        static_cast<double>(machine.modules) * machine.module.channel_groups * pim::channel_count;
    const double mac_s = static_cast<double>(step.work.kernels.count(pim::Command::mac16)) *
                         timing.nCCDS * timing.clock_ns * 1e-9;
    return mac_s / (channels * step.step_s);
}

}  // namespace memside
