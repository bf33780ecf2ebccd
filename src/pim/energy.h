// Energy of a program on a module by command, from the counts of its run.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/result.h"
#include "dram/spec.h"
#include "pim/simulation.h"

namespace memside::pim {

// The constants of systems/pim/*.yaml, which has their sources; the unit is in each name.
struct EnergyModel {
    std::string name;
    double act_mw = 0, act_ns = 0, rd_mw = 0, wr_mw = 0, burst_ns = 0;
    double mac16_rd_powers = 0, mac16_ns = 0, mac_per_mac16 = 0;
    double af16_per_mac16 = 0, ewmul16_per_mac16 = 0;
    double wra16_bursts = 0, rdcp_bursts = 0, wrcp_bursts = 0;
    double register_transfer_pj = 0, tmod_pj = 0, refresh_rows = 0;
    double active_mw = 0, precharged_mw = 0, active_share = 0;
    double pins_pj_per_bit = 0, link_pj_per_bit = 0;
    double logic_mw = 0, interface_mw = 0, channels = 0;
    double dcs_bytes_per_controller = 0, dcs_control_area_ratio = 0, dcs_power_ratio = 0;
    double dpa_dispatcher_area_ratio = 0, dpa_buffer_bytes = 0;
    std::vector<dram::SourcedConstant> constants;  // the same with their sources, for reports

    // pJ of one command, its bits on the pins included.
    std::array<double, command_count> command_pj() const;
};

Result<EnergyModel> read_energy_model(const std::string& path);

// The file of GDDR6-AiM that ships with Memside.
Result<std::string> default_energy_path();

struct EnergyEntry {
    std::string name;  // a command, or "active standby", "controllers", ...
    double pj = 0;
};

// Tiles of 32 bytes that the host sends and receives: its accesses to GPRs and memory.
std::uint64_t host_tiles(const Program& program);

// Of the whole module, idle channels included: every command that was issued, standby of all
// channels, their controllers, the host's link, and the scheduler's own share under DCS.
std::vector<EnergyEntry> run_energy(const EnergyModel& model, const SimulationResult& result,
                                    const Timing& timing, std::uint64_t tiles, Scheduler scheduler);

}  // namespace memside::pim
