#include "cluster/pim_kernels.h"

#include "pim/instruction.h"

namespace memside {

double PimKernelTime::macs() const {
    constexpr double of_bank = pim::lanes;
    return static_cast<double>(count(pim::Command::mac16)) * pim::bank_count * of_bank +
           static_cast<double>(count(pim::Command::mac)) * of_bank;
}

PimKernelTime& PimKernelTime::add(const PimKernelTime& other, double times) {
    time_s += times * other.time_s;
    hub_s += times * other.hub_s;
    scan_s += times * other.scan_s;
    top_k_s += times * other.top_k_s;
    open_channel_s += times * other.open_channel_s;
    for (std::size_t i = 0; i < commands.size(); ++i) {
        commands[i] += static_cast<std::uint64_t>(times * static_cast<double>(other.commands[i]));
    }
    return *this;
}

Result<PimKernelTime> PimKernels::selected(const PimSelected&) {
    return bad_input("--budget", "these kernels select no pages");
}

Result<PimDescription> read_pim_description() {
    PimDescription description;
    MEMSIDE_TRY(const std::string timing, pim::default_timing_path());
    MEMSIDE_TRY(description.timing, pim::read_timing(timing));
    MEMSIDE_TRY(const std::string hub, pim::default_hub_timing_path());
    MEMSIDE_TRY(description.hub, pim::read_hub_timing(hub));
    MEMSIDE_TRY(const std::string energy, pim::default_energy_path());
    MEMSIDE_TRY(description.energy, pim::read_energy_model(energy));
    return description;
}

}  // namespace memside
