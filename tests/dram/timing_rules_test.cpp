// One earliest-ready check for every timing rule of every standard. The expected cycles are worked
// out by hand from the numbers of the shipped description (in the comment behind each line); for
// commands of several bus cycles the distance of their first cycles differs from the rule by the
// difference of their lengths.
#include <set>

#include "dram/specs.h"
#include "dram/timing_state.h"

namespace memside::dram {
namespace {

using enum Command;

struct Check {
    const char* spec;
    const char* rule;
    const char* says;                             // what holds, as the test's name
    std::vector<std::pair<Command, int>> before;  // issued at cycles 0, 1, 2, ...: command, bank
    std::pair<Command, int> then;
    Cycle earliest;
};

// Two ranks where the description has one, to see what binds them together.
Spec with_two_ranks(Spec spec) {
    const int rank = spec.find_level("rank");
    for (int i = 0; i <= spec.bank_level(); ++i) {
        Level& level = spec.levels[static_cast<std::size_t>(i)];
        if (i < rank) ++level.shift;
        if (i == rank) level.count = 2;
        if (i >= rank) level.nodes *= 2;
    }
    return spec;
}

// Banks: LPDDR5, GDDR6, DDR4 and DDR5 4 x group + bank; HBM2 16 x pseudo-channel + that; HBM3 32 x
// pseudo-channel + 16 x stack ID + that. So 0 and 1 share a group, 0 and 4 do not.
const std::vector<Check>& checks() {
    static const std::vector<Check> table = {
        // LPDDR5-6400
        {"lpddr5-6400", "BL/n_min", "bursts_do_not_overlap", {{rd, 0}}, {rd, 4}, 2},
        {"lpddr5-6400", "BL/n_min", "written_bursts_do_not_overlap", {{wr, 0}}, {wr, 4}, 2},
        {"lpddr5-6400", "tCCD_S", "reads_of_two_groups_are_spaced", {{rd, 0}}, {rd, 8}, 2},
        {"lpddr5-6400", "tCCD_L", "reads_of_one_group_are_spaced", {{rd, 0}}, {rd, 1}, 4},
        {"lpddr5-6400", "tCCD_L", "writes_of_one_group_are_spaced", {{wr, 0}}, {wr, 1}, 4},
        {"lpddr5-6400", "tRTW", "a_write_follows_a_read", {{rd, 0}}, {wr, 4}, 12},    // 17+2+2-9
        {"lpddr5-6400", "tWTR_S", "a_read_follows_a_write", {{wr, 0}}, {rd, 4}, 16},  // 9+2+5
        {"lpddr5-6400", "tWTR_L", "more_so_in_a_group", {{wr, 0}}, {rd, 1}, 23},      // 9+4+10
        {"lpddr5-6400", "tRRD_S", "activations_are_spaced", {{act, 0}}, {act, 4}, 4},
        {"lpddr5-6400", "tRRD_L", "activations_of_a_group_are_spaced", {{act, 0}}, {act, 1}, 4},
        {"lpddr5-6400",
         "tFAW",
         "the_fifth_activation_waits",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 1},
         16},
        {"lpddr5-6400", "tRC", "a_bank_is_activated_again", {{act, 0}}, {act, 0}, 49},
        {"lpddr5-6400", "tRC", "a_bank_is_refreshed_after_activation", {{act, 0}}, {refpb, 0}, 49},
        {"lpddr5-6400", "tRC", "a_rank_is_refreshed_after_activation", {{act, 0}}, {refab, 0}, 49},
        {"lpddr5-6400", "tRCD", "a_read_follows_its_activation", {{act, 0}}, {rd, 0}, 15},
        {"lpddr5-6400", "tRCD", "a_write_follows_its_activation", {{act, 0}}, {wr, 0}, 15},
        {"lpddr5-6400", "tRAS", "a_row_stays_open", {{act, 0}}, {pre, 0}, 34},
        {"lpddr5-6400", "tRAS", "a_row_stays_open_for_PREA", {{act, 0}}, {prea, 0}, 34},
        {"lpddr5-6400", "tRTP", "a_read_row_is_closed", {{rd, 0}}, {pre, 0}, 8},
        {"lpddr5-6400", "tRTP", "a_read_rank_is_closed", {{rd, 0}}, {prea, 0}, 8},
        {"lpddr5-6400", "tWR", "a_written_row_is_closed", {{wr, 0}}, {pre, 0}, 39},    // 9+2+28
        {"lpddr5-6400", "tWR", "a_written_rank_is_closed", {{wr, 0}}, {prea, 0}, 39},  // 9+2+28
        {"lpddr5-6400", "tRPpb", "a_closed_bank_is_activated", {{pre, 0}}, {act, 0}, 15},
        {"lpddr5-6400", "tRPpb", "a_closed_bank_is_refreshed", {{pre, 0}}, {refpb, 0}, 15},
        {"lpddr5-6400", "tRPab", "a_closed_rank_is_activated", {{prea, 0}}, {act, 0}, 17},
        {"lpddr5-6400", "tRPab", "a_closed_rank_is_refreshed", {{prea, 0}}, {refab, 0}, 15},
        {"lpddr5-6400", "tPPD", "precharges_are_spaced", {{pre, 0}}, {pre, 4}, 2},
        {"lpddr5-6400", "tRFCab", "a_refreshed_rank_is_activated", {{refab, 0}}, {act, 0}, 168},
        {"lpddr5-6400", "tRFCab", "refreshes_are_spaced", {{refab, 0}}, {refab, 0}, 168},
        {"lpddr5-6400", "tRFCpb", "a_refreshed_bank_is_activated", {{refpb, 0}}, {act, 0}, 96},
        {"lpddr5-6400", "tRFCpb", "a_rank_waits_for_its_bank", {{refpb, 0}}, {refab, 0}, 96},
        {"lpddr5-6400", "tpbR2pbR", "bank_refreshes_are_spaced", {{refpb, 0}}, {refpb, 1}, 72},
        {"lpddr5-6400", "tpbR2act", "another_bank_is_activated", {{refpb, 0}}, {act, 1}, 6},
        // LPDDR5X-8533 has two ranks: bank 16 is in the second.
        {"lpddr5x-8533", "tCS", "a_read_switches_rank", {{rd, 0}}, {rd, 16}, 4},   // 2+2
        {"lpddr5x-8533", "tCS", "a_write_switches_rank", {{rd, 0}}, {wr, 16}, 4},  // 2+2
        {"lpddr5x-8533", "tCS", "a_read_after_a_write", {{wr, 0}}, {rd, 16}, 15},  // 23+2+2-12
        {"lpddr5x-8533",
         "tFAW",
         "another_rank_does_not_wait",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 16},
         0},

        // GDDR6-14000
        {"gddr6-14000", "BL", "bursts_do_not_overlap", {{rd, 0}}, {rd, 4}, 2},
        {"gddr6-14000", "tCCDS", "writes_of_two_groups_are_spaced", {{wr, 0}}, {wr, 4}, 2},
        {"gddr6-14000", "tCCDL", "reads_of_one_group_are_spaced", {{rd, 0}}, {rd, 1}, 4},
        {"gddr6-14000", "tCCDL", "writes_of_one_group_are_spaced", {{wr, 0}}, {wr, 1}, 4},
        {"gddr6-14000", "tRTW", "a_write_follows_a_read", {{rd, 0}}, {wr, 4}, 25},   // 24+1
        {"gddr6-14000", "tWTRS", "a_read_follows_a_write", {{wr, 0}}, {rd, 4}, 17},  // 6+2+9
        {"gddr6-14000", "tWTRL", "more_so_in_a_group", {{wr, 0}}, {rd, 1}, 19},      // 6+2+11
        {"gddr6-14000", "tRRDS", "activations_are_spaced", {{act, 0}}, {act, 4}, 11},
        {"gddr6-14000", "tRRDL", "activations_of_a_group_are_spaced", {{act, 0}}, {act, 1}, 11},
        {"gddr6-14000",
         "tFAW",
         "the_fifth_activation_waits",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 1},
         43},
        {"gddr6-14000",
         "tFAW",
         "bank_refreshes_count_as_activations",
         {{act, 0}, {refpb, 4}, {act, 8}, {act, 12}},
         {refpb, 1},
         43},
        {"gddr6-14000", "tRC", "a_bank_is_activated_again", {{act, 0}}, {act, 0}, 90},
        {"gddr6-14000", "tRC", "a_channel_is_refreshed", {{act, 0}}, {refab, 0}, 90},
        {"gddr6-14000", "tRCDRD", "a_read_follows_its_activation", {{act, 0}}, {rd, 0}, 30},
        {"gddr6-14000", "tRCDWR", "a_write_follows_its_activation", {{act, 0}}, {wr, 0}, 20},
        {"gddr6-14000", "tRAS", "a_row_stays_open", {{act, 0}}, {pre, 0}, 60},
        {"gddr6-14000", "tRAS", "a_row_stays_open_for_PREA", {{act, 0}}, {prea, 0}, 60},
        {"gddr6-14000", "tRTP", "a_read_row_is_closed", {{rd, 0}}, {pre, 0}, 4},
        {"gddr6-14000", "tWR", "a_written_row_is_closed", {{wr, 0}}, {pre, 0}, 38},  // 6+2+30
        {"gddr6-14000", "tRP", "a_closed_bank_is_activated", {{pre, 0}}, {act, 0}, 30},
        {"gddr6-14000", "tRP", "a_closed_channel_is_refreshed", {{prea, 0}}, {refab, 0}, 30},
        {"gddr6-14000", "tPPD", "precharges_are_spaced", {{pre, 0}}, {pre, 4}, 2},
        {"gddr6-14000", "tRFCab", "a_refreshed_channel_is_activated", {{refab, 0}}, {act, 0}, 211},
        {"gddr6-14000", "tRFCpb", "a_refreshed_bank_is_activated", {{refpb, 0}}, {act, 0}, 106},
        {"gddr6-14000", "tRFCpb", "a_channel_waits_for_its_bank", {{refpb, 0}}, {refab, 0}, 106},
        {"gddr6-14000", "tRREFD", "another_bank_is_activated", {{refpb, 0}}, {act, 4}, 22},

        // HBM2-2000: ACT takes two cycles.
        {"hbm2-2000", "BL", "bursts_do_not_overlap", {{rd, 0}}, {rd, 4}, 2},
        {"hbm2-2000", "tCCDS", "writes_of_two_groups_are_spaced", {{wr, 0}}, {wr, 4}, 2},
        {"hbm2-2000", "tCCDS", "pseudo_channels_do_not_wait", {{rd, 0}}, {rd, 16}, 0},
        {"hbm2-2000", "tCCDL", "reads_of_one_group_are_spaced", {{rd, 0}}, {rd, 1}, 4},
        {"hbm2-2000", "tRTW", "a_write_follows_a_read", {{rd, 0}}, {wr, 4}, 13},   // 14+2+2-5
        {"hbm2-2000", "tWTRS", "a_read_follows_a_write", {{wr, 0}}, {rd, 4}, 13},  // 5+2+6
        {"hbm2-2000", "tWTRL", "more_so_in_a_group", {{wr, 0}}, {rd, 1}, 15},      // 5+2+8
        {"hbm2-2000", "tRRDS", "activations_are_spaced", {{act, 0}}, {act, 4}, 4},
        {"hbm2-2000", "tRRDL", "activations_of_a_group_are_spaced", {{act, 0}}, {act, 1}, 4},
        {"hbm2-2000",
         "tFAW",
         "the_fifth_activation_waits",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 1},
         15},
        {"hbm2-2000", "tRC", "a_bank_is_activated_again", {{act, 0}}, {act, 0}, 48},
        {"hbm2-2000", "tRC", "a_pseudo_channel_is_refreshed", {{act, 0}}, {refab, 0}, 49},   // 48+1
        {"hbm2-2000", "tRCDRD", "a_read_follows_its_activation", {{act, 0}}, {rd, 0}, 15},   // 14+1
        {"hbm2-2000", "tRCDWR", "a_write_follows_its_activation", {{act, 0}}, {wr, 0}, 13},  // 12+1
        {"hbm2-2000", "tRAS", "a_row_stays_open", {{act, 0}}, {pre, 0}, 35},                 // 34+1
        {"hbm2-2000", "tRTP", "a_read_row_is_closed", {{rd, 0}}, {pre, 0}, 5},
        {"hbm2-2000", "tWR", "a_written_row_is_closed", {{wr, 0}}, {pre, 0}, 23},      // 5+2+16
        {"hbm2-2000", "tRP", "a_closed_bank_is_activated", {{pre, 0}}, {act, 0}, 13},  // 14-1
        {"hbm2-2000", "tRP", "a_closed_pseudo_channel_is_refreshed", {{prea, 0}}, {refab, 0}, 14},
        {"hbm2-2000",
         "tRFC",
         "a_refreshed_one_is_activated",
         {{refab, 0}},
         {act, 0},
         159},  // 160-1
        {"hbm2-2000", "tRFC", "the_other_pseudo_channel_is_not_bound", {{refab, 0}}, {act, 16}, 0},
        {"hbm2-2000", "tRFCSB", "a_refreshed_bank_is_activated", {{refpb, 0}}, {act, 0}, 159},
        {"hbm2-2000", "tRREFD", "another_bank_is_activated", {{refpb, 0}}, {act, 1}, 7},  // 8-1

        // HBM3-6400 in half clocks: ACT takes three, PRE one, RD and WR two.
        {"hbm3-6400", "BL", "bursts_do_not_overlap", {{wr, 0}}, {wr, 16}, 4},             // 2x2
        {"hbm3-6400", "tCCDS", "reads_of_two_groups_are_spaced", {{rd, 0}}, {rd, 4}, 4},  // 2x2
        {"hbm3-6400", "tCCDL", "reads_of_one_group_are_spaced", {{rd, 0}}, {rd, 1}, 8},   // 2x4
        {"hbm3-6400", "tCCDR", "reads_of_two_stack_ids_are_spaced", {{rd, 0}}, {rd, 16}, 6},
        {"hbm3-6400", "tRTW", "a_write_follows_a_read", {{rd, 0}}, {wr, 4}, 40},   // 2x20
        {"hbm3-6400", "tWTRS", "a_read_follows_a_write", {{wr, 0}}, {rd, 4}, 38},  // 2(10+2+7)
        {"hbm3-6400", "tWTRL", "more_so_in_a_group", {{wr, 0}}, {rd, 1}, 44},      // 2(10+2+10)
        {"hbm3-6400", "tRRDS", "activations_are_spaced", {{act, 0}}, {act, 4}, 8},
        {"hbm3-6400", "tRRDL", "activations_of_a_group_are_spaced", {{act, 0}}, {act, 1}, 10},
        {"hbm3-6400",
         "tFAW",
         "the_fifth_activation_waits",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 16},
         48},
        {"hbm3-6400", "tRC", "a_bank_is_activated_again", {{act, 0}}, {act, 0}, 144},
        {"hbm3-6400", "tRC", "a_pseudo_channel_is_refreshed", {{act, 0}}, {refab, 0}, 146},  // +3-1
        {"hbm3-6400",
         "tRCDRD",
         "a_read_follows_its_activation",
         {{act, 0}},
         {rd, 0},
         63},  // 62+3-2
        {"hbm3-6400", "tRCDWR", "a_write_follows_its_activation", {{act, 0}}, {wr, 0}, 31},
        {"hbm3-6400", "tRAS", "a_row_stays_open", {{act, 0}}, {pre, 0}, 92},           // 90+3-1
        {"hbm3-6400", "tRTP", "a_read_row_is_closed", {{rd, 0}}, {pre, 0}, 19},        // 18+2-1
        {"hbm3-6400", "tWR", "a_written_row_is_closed", {{wr, 0}}, {pre, 0}, 91},      // 90+2-1
        {"hbm3-6400", "tRP", "a_closed_bank_is_activated", {{pre, 0}}, {act, 0}, 50},  // 52+1-3
        {"hbm3-6400", "tRP", "a_closed_pseudo_channel_is_refreshed", {{prea, 0}}, {refab, 0}, 52},
        {"hbm3-6400", "tPPD", "precharges_are_spaced", {{pre, 0}}, {pre, 4}, 4},
        {"hbm3-6400", "tRFCab", "a_refreshed_one_is_activated", {{refab, 0}}, {act, 0}, 830},  // -2
        {"hbm3-6400", "tRFCpb", "a_refreshed_bank_is_activated", {{refpb, 0}}, {act, 0}, 638},
        {"hbm3-6400", "tRREFD", "bank_refreshes_are_spaced", {{refpb, 0}}, {refpb, 4}, 16},

        // DDR5-4800: ACT, RD and WR take two cycles.
        {"ddr5-4800", "BL", "bursts_do_not_overlap", {{rd, 0}}, {rd, 4}, 8},
        {"ddr5-4800", "tCCD_S", "reads_of_two_groups_are_spaced", {{rd, 0}}, {rd, 8}, 8},
        {"ddr5-4800", "tCCD_L", "reads_of_one_group_are_spaced", {{rd, 0}}, {rd, 1}, 12},
        {"ddr5-4800", "tCCD_S_WR", "writes_of_two_groups_are_spaced", {{wr, 0}}, {wr, 4}, 8},
        {"ddr5-4800", "tCCD_L_WR", "writes_of_one_group_are_spaced", {{wr, 0}}, {wr, 1}, 48},
        {"ddr5-4800", "tRTW", "a_write_follows_a_read", {{rd, 0}}, {wr, 4}, 14},    // 34+8+2-32+2
        {"ddr5-4800", "tWTR_S", "a_read_follows_a_write", {{wr, 0}}, {rd, 4}, 46},  // 32+8+6
        {"ddr5-4800", "tWTR_L", "more_so_in_a_group", {{wr, 0}}, {rd, 1}, 64},      // 32+8+24
        {"ddr5-4800 two ranks", "tCS", "a_read_switches_rank", {{rd, 0}}, {rd, 32}, 10},  // 8+2
        {"ddr5-4800 two ranks", "tCS", "a_read_after_a_write", {{wr, 0}}, {rd, 32}, 8},
        {"ddr5-4800", "tRRD_S", "activations_are_spaced", {{act, 0}}, {act, 4}, 8},
        {"ddr5-4800", "tRRD_L", "activations_of_a_group_are_spaced", {{act, 0}}, {act, 1}, 12},
        {"ddr5-4800",
         "tFAW",
         "the_fifth_activation_waits",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 1},
         48},
        {"ddr5-4800", "tRC", "a_bank_is_activated_again", {{act, 0}}, {act, 0}, 111},
        {"ddr5-4800", "tRC", "a_rank_is_refreshed", {{act, 0}}, {refab, 0}, 112},  // 111+1
        {"ddr5-4800", "tRCD", "a_read_follows_its_activation", {{act, 0}}, {rd, 0}, 34},
        {"ddr5-4800", "tRAS", "a_row_stays_open", {{act, 0}}, {pre, 0}, 78},           // 77+1
        {"ddr5-4800", "tRTP", "a_read_row_is_closed", {{rd, 0}}, {pre, 0}, 19},        // 18+1
        {"ddr5-4800", "tWR", "a_written_row_is_closed", {{wr, 0}}, {pre, 0}, 113},     // 32+8+72+1
        {"ddr5-4800", "tRP", "a_closed_bank_is_activated", {{pre, 0}}, {act, 0}, 33},  // 34-1
        {"ddr5-4800", "tRP", "a_closed_rank_is_refreshed", {{prea, 0}}, {refab, 0}, 34},
        {"ddr5-4800", "tPPD", "precharges_are_spaced", {{pre, 0}}, {pre, 4}, 2},
        {"ddr5-4800", "tRFC1", "a_refreshed_rank_is_activated", {{refab, 0}}, {act, 0}, 709},  // -1

        // DDR4-3200
        {"ddr4-3200", "BL", "bursts_do_not_overlap", {{rd, 0}}, {rd, 4}, 4},
        {"ddr4-3200", "tCCD_S", "writes_of_two_groups_are_spaced", {{wr, 0}}, {wr, 4}, 4},
        {"ddr4-3200", "tCCD_L", "reads_of_one_group_are_spaced", {{rd, 0}}, {rd, 1}, 8},
        {"ddr4-3200", "tRTW", "a_write_follows_a_read", {{rd, 0}}, {wr, 4}, 12},    // 22+4+2-16
        {"ddr4-3200", "tWTR_S", "a_read_follows_a_write", {{wr, 0}}, {rd, 4}, 24},  // 16+4+4
        {"ddr4-3200", "tWTR_L", "more_so_in_a_group", {{wr, 0}}, {rd, 1}, 32},      // 16+4+12
        {"ddr4-3200 two ranks", "tCS", "a_read_switches_rank", {{rd, 0}}, {rd, 16}, 6},  // 4+2
        {"ddr4-3200", "tRRD_S", "activations_are_spaced", {{act, 0}}, {act, 4}, 4},
        {"ddr4-3200", "tRRD_L", "activations_of_a_group_are_spaced", {{act, 0}}, {act, 1}, 8},
        {"ddr4-3200",
         "tFAW",
         "the_fifth_activation_waits",
         {{act, 0}, {act, 4}, {act, 8}, {act, 12}},
         {act, 1},
         34},
        {"ddr4-3200", "tRC", "a_bank_is_activated_again", {{act, 0}}, {act, 0}, 74},
        {"ddr4-3200", "tRCD", "a_read_follows_its_activation", {{act, 0}}, {rd, 0}, 22},
        {"ddr4-3200", "tRAS", "a_row_stays_open", {{act, 0}}, {pre, 0}, 52},
        {"ddr4-3200", "tRTP", "a_read_row_is_closed", {{rd, 0}}, {pre, 0}, 12},
        {"ddr4-3200", "tWR", "a_written_row_is_closed", {{wr, 0}}, {pre, 0}, 44},  // 16+4+24
        {"ddr4-3200", "tRP", "a_closed_bank_is_activated", {{pre, 0}}, {act, 0}, 22},
        {"ddr4-3200", "tRP", "a_closed_rank_is_refreshed", {{prea, 0}}, {refab, 0}, 22},
        {"ddr4-3200", "tRFC", "a_refreshed_rank_is_activated", {{refab, 0}}, {act, 0}, 560},
    };
    return table;
}

Spec spec_of(const Check& check) {
    const std::string name = check.spec;
    const std::size_t end = name.find(" two ranks");
    const Spec spec = shipped(name.substr(0, end));
    return end == std::string::npos ? spec : with_two_ranks(spec);
}

class TimingRules : public testing::TestWithParam<Check> {};

// The distance from the first command, at cycle 1000 so that nothing hides behind cycle 0.
Cycle earliest(const Spec& spec, const Check& check) {
    const Cycle start = 1000;
    TimingState timing(spec);
    Cycle now = start;
    for (const auto& [command, bank] : check.before) timing.issue(command, bank, now++);
    const Cycle found = timing.earliest(check.then.first, check.then.second);
    return found == 0 ? 0 : found - start;
}

TEST_P(TimingRules, the_earliest_cycle_is_the_one_worked_out_by_hand) {
    EXPECT_EQ(earliest(spec_of(GetParam()), GetParam()), GetParam().earliest) << GetParam().rule;
}

TEST_P(TimingRules, it_moves_with_the_rule_that_the_check_names) {
    if (GetParam().earliest == 0) return;  // checks that a rule does not reach further
    Spec spec = spec_of(GetParam());
    for (TimingRule& rule : spec.rules) {
        if (rule.name == GetParam().rule) rule.cycles += 1000;
    }
    EXPECT_EQ(earliest(spec, GetParam()), GetParam().earliest + 1000) << GetParam().rule;
}

std::string check_name(const testing::TestParamInfo<Check>& info) {
    std::string text = std::string(info.param.spec) + "_" + info.param.says + "_by_" +
                       info.param.rule + "_" + std::to_string(info.index);
    for (char& c : text) {
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    }
    return text;
}

INSTANTIATE_TEST_SUITE_P(All, TimingRules, testing::ValuesIn(checks()), check_name);

TEST(TimingRules, every_rule_of_every_standard_has_a_check) {
    std::set<std::string> checked;
    for (const Check& check : checks()) checked.insert(spec_of(check).standard + " " + check.rule);
    for (const char* name : shipped_names) {
        const Spec spec = shipped(name);
        for (const TimingRule& rule : spec.rules) {
            EXPECT_TRUE(checked.contains(spec.standard + " " + rule.name))
                << spec.standard << " " << rule.name;
        }
    }
}

}  // namespace
}  // namespace memside::dram
