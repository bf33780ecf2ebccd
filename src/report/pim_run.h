// A run of an AiM program as JSON, as text for a terminal and as a timeline.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pim/dynamic/dynamic_time.h"
#include "pim/energy.h"
#include "pim/simulation.h"

namespace memside {

// What a run of a dynamic program has beside an AiM program's.
struct DynamicRun {
    std::uint64_t tokens = 0;         // of the request, the new one included
    std::uint64_t items = 0;          // of the program
    std::uint64_t program_bytes = 0;  // its binary form
    pim::HubTiming hub_timing;
    pim::DynamicTime time;  // result is moved to the run's
};

struct PimRun {
    std::string program;             // its file, as the user named it
    std::uint64_t instructions = 0;  // unrolled
    pim::SimulationOptions options;
    pim::Timing timing;
    pim::EnergyModel energy_model;
    pim::SimulationResult result;
    std::vector<pim::EnergyEntry> energy;
    std::optional<DynamicRun> dynamic;

    double time_ns() const { return static_cast<double>(result.cycles) * timing.clock_ns; }
    double energy_pj() const;
    // Cycles of all addressed channels by activity, in the order of pim::Activity: they add up to
    // the run's cycles times the addressed channels.
    std::array<std::uint64_t, pim::activity_count> activity_cycles() const;
    std::uint64_t addressed_channels() const;
    // The constants that no source backs, of those that this run used.
    std::vector<dram::SourcedConstant> assumed() const;
};

// The documented keys (docs/pim.md), two-space indent, a newline at the end. `stall_cycles` has
// every activity but the MACs': cycles summed over the addressed channels.
std::string to_json(const PimRun& run);

// What ran, how long, what the channels did meanwhile, commands, energy, warnings; within
// terminal_columns.
std::string summary(const PimRun& run, bool colour);

// bad_input that names the limit when a run has more events than a trace may hold. `events` may be
// a lower bound: unrolled instructions.
Status check_pim_trace_size(std::uint64_t events, const std::string& where);

// The timeline of SimulationResult::trace in Trace Event Format: a process per channel, with a
// thread for rows and modes, one for computing and one for transfers. A run of commands is one
// event. Times are microseconds with steps of 0.1 ns.
std::string to_trace(const PimRun& run);

}  // namespace memside
