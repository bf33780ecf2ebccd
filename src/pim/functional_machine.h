// A program on data: what every instruction does to the memory of a module. Time plays no part; the
// state after a program is the same under every scheduler. docs/pim-function.md states every choice
// that the device's documents leave open.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "pim/functional_memory.h"
#include "pim/program.h"

namespace memside::pim {

// Something read that nobody had written; it was taken as +0.
struct UninitialisedRead {
    std::uint64_t instruction = 0;  // from 1, of those executed; 0: not by an instruction
    Opcode opcode = Opcode::eoc;
    Place place;

    std::string message() const;
};

// The first of them, and how many there were: every reading of a tile (of an accumulator: of a
// bank) counts.
struct UninitialisedReads {
    static constexpr std::size_t kept = 20;
    std::vector<UninitialisedRead> first;
    std::uint64_t count = 0;

    void add(const UninitialisedRead& read);
};

class Machine {
  public:
    Memory& memory() { return memory_; }
    const Memory& memory() const { return memory_; }

    // Carries out one instruction. bad_input when an operand is out of range: where names the
    // instruction by its number of those executed; nothing has changed then.
    Status execute(const Instruction& instruction);

    // The whole program, up to and including its first EOC.
    Status run(const Program& program);

    std::uint64_t executed() const { return executed_; }
    const UninitialisedReads& uninitialised() const { return uninitialised_; }

  private:
    void perform(const Instruction& instruction);

    // Of each addressed channel, ascending: do_channel(channel, position among them).
    template <typename Function>
    void for_channels(const Instruction& instruction, const Function& do_channel);

    void write_banks(const Instruction& instruction);
    void write_gbuf(const Instruction& instruction);
    void write_bias(const Instruction& instruction);
    void read_accumulators(const Instruction& instruction);
    void read_activations(const Instruction& instruction);
    void read_bank(const Instruction& instruction);
    void copy(const Instruction& instruction);
    void multiply_accumulate(const Instruction& instruction);
    void activate_accumulators(const Instruction& instruction);
    void multiply_elements(const Instruction& instruction);
    void add_registers(const Instruction& instruction);
    void host_read(const Instruction& instruction);

    // These report what was not written and take it as +0.
    Tile load_bank(unsigned channel, unsigned bank, std::uint32_t row, unsigned column);
    Tile load_gbuf(unsigned channel, unsigned entry);
    Tile load_gpr(std::uint32_t entry);
    float load_accumulator(unsigned channel, unsigned bank, std::uint32_t out);
    Tile checked(Tile tile, const Place& place);
    void report(const Place& place) { uninitialised_.add({executed_, opcode_, place}); }

    Memory memory_;
    std::array<std::uint32_t, 3> registers_{};  // CFR 0 to 2
    std::uint64_t executed_ = 0;
    Opcode opcode_ = Opcode::eoc;  // of the instruction that is being executed
    UninitialisedReads uninitialised_;
};

}  // namespace memside::pim
