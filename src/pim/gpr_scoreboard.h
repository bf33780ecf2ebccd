// Which instructions in flight use which general-purpose registers: the HUB decodes an instruction
// only when those that it depends on through a register have completed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "pim/instruction.h"
#include "pim/overlap_channel.h"

namespace memside::pim {

// Registers [first, first + count) that an instruction reads or writes.
struct GprAccess {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool write = false;
    std::uint32_t mask = 0;  // of the channels that read all of them, or write one each
    Side side = Side::transfer;
    std::uint64_t instruction = 0;
};

// What an instruction does to registers when a channel executes it; EWADD, W GPR and R GPR are done
// in the HUB at decode and have `mask` 0.
GprAccess gpr_access(const Instruction& instruction, std::uint64_t number);

// True if `later` must wait until `earlier` has completed. It need not if no register is written,
// or if the order of one queue is enough: the same channels write the same registers again, or one
// channel first reads and then writes them.
inline bool must_wait(const GprAccess& earlier, const GprAccess& later) {
    if (!earlier.write && !later.write) return false;
    if (earlier.first >= later.first + later.count) return false;
    if (later.first >= earlier.first + earlier.count) return false;
    if (earlier.mask != later.mask || earlier.side != later.side || !later.write) return true;
    const bool one_channel = (later.mask & (later.mask - 1)) == 0;
    return earlier.write ? earlier.first != later.first : !one_channel;
}

}  // namespace memside::pim
