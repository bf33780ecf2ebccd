// A DRAM standard at one speed, as data: organisation, timing rules, refresh and energy. One engine
// (controller.h) runs them all. Described in systems/dram/*.yaml (organisation, numbers, sources)
// and systems/dram/standards/*.yaml (levels, command bus, rules).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dram/command.h"

namespace memside::dram {

// One node count of the hierarchy below the channel, from the outside in; the last is "bank".
struct Level {
    std::string name;  // "channel", "pseudo_channel", "stack_id", "rank", "bank_group", "bank"
    int count = 1;     // nodes in one node of the level above
    int shift = 0;     // flat bank index >> shift is the flat index of the node
    int nodes = 1;     // in the whole channel
};

// "After any command of `from`, no command of `to` for `cycles`, within one node of `level`", named
// as in the standard. With `window` w the time counts from the w-th last command of `from`. With
// `other_nodes` the rule binds the other nodes under the same parent instead of the node itself.
struct TimingRule {
    std::string name;  // "tRCD"
    int level = 0;     // index into Spec::levels
    std::vector<Command> from;
    std::vector<Command> to;
    Cycle cycles = 0;  // as the standard counts: from the last bus cycle of a command to that of
                       // the next; see Spec::spacing
    int window = 1;
    bool other_nodes = false;
    std::string expression;  // as written: "nCWL + nBL + nWR"
};

// A number of the description with its unit and source, for reports.
struct SourcedConstant {
    std::string path;  // "timing.nRCD"
    std::string text;  // "15"
    std::string source;
    std::string where;  // file:line
    bool assumed() const { return source.starts_with("assumed"); }
};

// Energy of one channel. Commands cost what they add to the background.
struct EnergyModel {
    double activate_pj = 0;      // one ACT with the PRE that ends it
    double read_pj = 0;          // one burst, array and I/O
    double write_pj = 0;         // one burst, array and I/O
    double refresh_all_pj = 0;   // one REFab of one refresh scope
    double refresh_bank_pj = 0;  // one REFpb
    double background_mw = 0;    // standby of one channel, all banks
};

struct Spec {
    std::string name;           // "LPDDR5X-8533"
    std::string standard;       // "lpddr5"
    std::vector<Level> levels;  // levels[0] is the channel itself
    int rows = 0;               // of a bank
    int bursts_per_row = 0;
    int burst_bytes = 0;        // of one RD or WR
    double data_rate_mtps = 0;  // million transfers per second and data pin
    int channel_bits = 0;       // data pins, all pseudo-channels together
    double tick_ns = 0;
    int ticks_per_clock = 1;  // 2 where row commands may start at half clocks (HBM3)

    bool separate_column_bus = false;             // HBM: row and column commands have a bus each
    std::array<int, all_commands> bus_ticks{};    // how long a command occupies its bus
    std::array<bool, all_commands> half_clock{};  // may start at any tick, not only at whole clocks

    std::vector<TimingRule> rules;
    Cycle read_latency = 0;   // RD to the end of its burst
    Cycle write_latency = 0;  // WR to the end of its burst
    // LPDDR5: ACT2 follows ACT within this many cycles; 0 where one ACT suffices.
    Cycle act2_within = 0;
    // LPDDR5: the data clock stays on this long after a column command; 0 where there is none.
    Cycle sync_lasts = 0;

    int refresh_level = 0;            // REFab covers one node of this level
    Cycle refresh_interval = 0;       // nREFI
    Cycle refresh_bank_interval = 0;  // nREFIpb, 0 where the standard has no per-bank refresh
    int banks_per_refpb = 1;          // 2: bank b and the one half a scope further (LPDDR5)

    EnergyModel energy;
    std::map<std::string, Cycle, std::less<>> timing;  // "nRCD" in ticks, for closed forms
    std::vector<SourcedConstant> constants;            // everything that was read

    int banks() const { return levels.back().nodes; }
    int bank_level() const { return static_cast<int>(levels.size()) - 1; }
    // bank_level + 1 when there is no such level.
    int find_level(std::string_view level_name) const;
    // How many nodes of that level one node of the level above has; 1 when there is no such level.
    int level_count(std::string_view level_name) const;
    std::int64_t channel_bytes() const {
        return std::int64_t{1} * banks() * rows * bursts_per_row * burst_bytes;
    }
    // The least distance of the starts of two commands that a rule's `cycles` means: commands of
    // several bus cycles count from their last one (JESD79-5, and the same in HBM).
    Cycle spacing(const TimingRule& rule, Command from, Command to) const {
        return rule.cycles + bus_ticks[index(from)] - bus_ticks[index(to)];
    }
    // Bytes per second with every data pin always busy.
    double peak_bytes_per_s() const { return data_rate_mtps * 1e6 * channel_bits / 8; }
};

// "lpddr5x-8533" (a file of systems/dram/ in data_dir()) or a path that ends in ".yaml".
Result<Spec> load_spec(const std::string& name_or_path);

// The names that load_spec accepts, sorted.
std::vector<std::string> spec_names();

}  // namespace memside::dram
