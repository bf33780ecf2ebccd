#include "dram/energy.h"

namespace memside::dram {

EnergyBreakdown channel_energy(const Spec& spec,
                               const std::array<std::int64_t, all_commands>& commands,
                               double cycles) {
    constexpr double joules_per_pj = 1e-12;
    const auto of = [&](Command command, double pj) {
        return static_cast<double>(commands[index(command)]) * pj * joules_per_pj;
    };
    const EnergyModel& model = spec.energy;
    EnergyBreakdown energy;
    energy.activate_j = of(Command::act, model.activate_pj);
    energy.read_j = of(Command::rd, model.read_pj);
    energy.write_j = of(Command::wr, model.write_pj);
    energy.refresh_j =
        of(Command::refab, model.refresh_all_pj) + of(Command::refpb, model.refresh_bank_pj);
    energy.background_j = model.background_mw * 1e-3 * cycles * spec.tick_ns * 1e-9;
    return energy;
}

}  // namespace memside::dram
