// Runs of kernels for their tests.
#pragma once

#include <bit>
#include <cmath>
#include <set>

#include "pim/functional_machine.h"
#include "pim/reference_arithmetic.h"

namespace memside::pim {

// Runs a program that must be sound: no refused operand, nothing read that was not written.
inline void run_soundly(const Program& program, Machine& machine) {
    const Status status = machine.run(program);
    ASSERT_TRUE(status.ok()) << status.error().message();
    const UninitialisedReads& reads = machine.uninitialised();
    ASSERT_EQ(reads.count, 0u) << reads.first.front().message();
}

// How many registers, from the first on, an instruction takes from the hub or gives to it.
inline std::uint32_t taken(const Instruction& i) {
    return i.opcode == Opcode::wr_gb ? i.opsize : i.opcode == Opcode::wr_bias ? 1 : 0;
}
inline std::uint32_t given(const Instruction& i) {
    return i.opcode == Opcode::rd_mac ? static_cast<std::uint32_t>(std::popcount(i.mask)) : 0;
}

// Runs the form of a kernel that reuses its registers, as the hub would serve it: before an
// instruction it puts the tiles there that the other form would take from `hub`, and after one it
// takes its results up. Apart from registers the two forms must be one program.
inline void run_served(const Program& reused, const Program& own, Memory& hub, Machine& machine) {
    Cursor here(reused);
    for (Cursor there(own); !there.done(); there.next(), here.next()) {
        ASSERT_FALSE(here.done());
        Instruction same = *here;
        same.gpr = there->gpr;
        ASSERT_EQ(same, *there);
        for (std::uint32_t i = 0; i < taken(*here); ++i) {
            machine.memory().gpr(here->gpr + i) = hub.gpr(there->gpr + i);
        }
        const Status status = machine.execute(*here);
        ASSERT_TRUE(status.ok()) << status.error().message();
        for (std::uint32_t i = 0; i < given(*here); ++i) {
            hub.gpr(there->gpr + i) = machine.memory().gpr(here->gpr + i);
        }
    }
    ASSERT_TRUE(here.done());
    ASSERT_EQ(machine.uninitialised().count, 0u);
}

inline std::uint64_t count_of(const Program& program, Opcode opcode) {
    std::uint64_t count = 0;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) {
        if (cursor->opcode == opcode) ++count;
    }
    return count;
}

// How often MAC_ABK finds another row open than its own, the first time included.
inline std::uint64_t row_changes(const Program& program) {
    std::uint64_t changes = 0;
    std::int64_t open = -1;
    for (Cursor cursor(program); !cursor.done(); cursor.next()) {
        if (cursor->opcode != Opcode::mac_abk) continue;
        if (open != cursor->row) ++changes;
        open = cursor->row;
    }
    return changes;
}

}  // namespace memside::pim
