// How far apart two commands of a channel must be, in the numbers of the rules (docs/pim.md), not
// derived from a timing file: the independent half of every comparison with the engine.
#pragma once

#include <array>

#include "pim/instruction.h"

namespace memside::pim::ticking {

enum class Relation { same_bank, same_group, other_group };  // all-bank commands: same_bank

// Cycles of the refresh, which the rules leave open.
struct TickRefresh {
    int interval = 3800;  // nREFI
    int all_bank = 240;   // nRFCab
    int per_bank = 120;   // nRFCpb
};

bool is_all_bank(Command command);  // needs or changes all banks
bool is_single_bank(Command command);
bool is_row_command(Command command);  // ACT, PRE and their all-bank forms

// `next` may be issued no earlier than this many cycles after `first`.
int spacing(Command first, Command next, Relation relation, const TickRefresh& refresh);

// spacing() of all commands, worked out once.
struct SpacingTable {
    explicit SpacingTable(const TickRefresh& refresh);
    // [first][relation][next]
    std::array<std::array<std::array<int, command_count>, 3>, command_count> cycles{};
};

// Cycles from issue to retirement.
int completion(Command command);

}  // namespace memside::pim::ticking
