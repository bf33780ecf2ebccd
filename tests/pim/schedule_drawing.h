// Draws what a channel does cycle by cycle, as text: tests/pim/schedules/ holds the drawings.
#pragma once

#include <string>
#include <vector>

#include "pim/program.h"
#include "pim/simulation.h"

namespace memside::pim {

// One lane for each kind of command, 80 cycles a line.
// Channel 31, which mask 1 addresses; refresh is off.
std::string draw_schedule(const Program& program, const Timing& timing, Scheduler scheduler);

// The drawings in tests/pim/schedules/, by file name without ".txt".
struct Drawing {
    std::string name;
    Program program;
    Scheduler scheduler = Scheduler::in_order;
};
std::vector<Drawing> schedule_drawings();

}  // namespace memside::pim
