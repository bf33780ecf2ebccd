// Part of the ticking schedulers: the commands and register operands of one instruction.
#pragma once

#include <array>
#include <map>
#include <utility>
#include <vector>

#include "pim/overlap_reference.h"

namespace memside::pim {

// A buffer's entry or half: 'g' GBuf, 'o' OBuf, 'a' results of the activation unit.
using Resource = std::pair<char, std::uint32_t>;

// A command in a queue.
struct Queued {
    ReferenceCommand what;
    std::uint32_t row = 0;
    std::vector<Resource> touches;
    std::uint64_t id = 0;
    std::map<Resource, std::uint64_t> depends;  // D-Table's answers, 0: nothing before
    bool uses_gpr = false;
};

// Registers first to last.
struct Operand {
    std::uint32_t first = 0, last = 0;
    bool write = false;
};
std::vector<Operand> operands(const Instruction& instruction);

// 0: transfers, 1: compute.
std::size_t side_of(Opcode opcode);

// The commands of an instruction in each channel of its mask, in order; none if it is done in the
// HUB. `cfr`: the configuration registers.
std::vector<Queued> unroll(const Instruction& instruction, std::uint64_t number, std::uint64_t now,
                           const std::array<std::uint32_t, 3>& cfr, bool halves);

}  // namespace memside::pim
