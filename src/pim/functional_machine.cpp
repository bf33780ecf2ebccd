#include "pim/functional_machine.h"

#include "pim/functional_activation.h"
#include "pim/functional_mac.h"
#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

constexpr std::uint16_t all_lanes = 0xFFFF;

bool written(std::uint16_t set, unsigned i) {
    return (unsigned{set} >> i & 1U) != 0;
}

}  // namespace

std::string UninitialisedRead::message() const {
    const std::string what = fmt::format("{} was never written; read as 0", place.name());
    if (instruction == 0) return what;
    return fmt::format("instruction {}, {}: {}", instruction, info(opcode).name, what);
}

void UninitialisedReads::add(const UninitialisedRead& read) {
    if (first.size() < kept) first.push_back(read);
    ++count;
}

Status Machine::execute(const Instruction& instruction) {
    if (const auto fault = find_fault(instruction)) {
        return bad_input(
            fmt::format("instruction {}, {}", executed_ + 1, info(instruction.opcode).name),
            fault->what);
    }
    ++executed_;
    opcode_ = instruction.opcode;
    perform(instruction);
    return {};
}

Status Machine::run(const Program& program) {
    for (Cursor cursor(program); !cursor.done(); cursor.next()) {
        MEMSIDE_CHECK(execute(*cursor));
        if (cursor->opcode == Opcode::eoc) break;
    }
    return {};
}

void Machine::perform(const Instruction& instruction) {
    switch (instruction.opcode) {
        case Opcode::wr_sbk:
        case Opcode::wr_abk:
            return write_banks(instruction);
        case Opcode::wr_gb:
            return write_gbuf(instruction);
        case Opcode::wr_bias:
            return write_bias(instruction);
        case Opcode::rd_mac:
            return read_accumulators(instruction);
        case Opcode::rd_af:
            return read_activations(instruction);
        case Opcode::rd_sbk:
            return read_bank(instruction);
        case Opcode::copy_bkgb:
        case Opcode::copy_gbbk:
            return copy(instruction);
        case Opcode::mac_sbk:
        case Opcode::mac_abk:
            return multiply_accumulate(instruction);
        case Opcode::af:
            return activate_accumulators(instruction);
        case Opcode::ewmul:
            return multiply_elements(instruction);
        case Opcode::ewadd:
            return add_registers(instruction);
        case Opcode::write_cfr:
            registers_[instruction.gpr] = instruction.gpr2;
            return;
        case Opcode::read_gpr:
        case Opcode::read_mem:
            return host_read(instruction);
        // A host's write brings no data in a program: the memory holds what it would bring.
        case Opcode::write_gpr:
        case Opcode::write_mem:
        case Opcode::sync:
        case Opcode::eoc:
            return;
    }
}

template <typename Function>
void Machine::for_channels(const Instruction& instruction, const Function& do_channel) {
    unsigned position = 0;
    for (unsigned channel = 0; channel < channel_count; ++channel) {
        if ((instruction.mask >> (channel_count - 1 - channel) & 1U) == 0) continue;
        do_channel(channel, position);
        ++position;
    }
}

Tile Machine::checked(Tile tile, const Place& place) {
    if (!tile.complete()) report(place);
    tile.written = all_lanes;
    return tile;
}

Tile Machine::load_bank(unsigned channel, unsigned bank, std::uint32_t row, unsigned column) {
    const Tile* tile = memory_.find(channel, bank, row, column);
    return checked(tile == nullptr ? Tile{} : *tile, {Space::bank, channel, bank, row, column});
}

Tile Machine::load_gbuf(unsigned channel, unsigned entry) {
    return checked(memory_.gbuf(channel, entry), {Space::gbuf, channel, 0, 0, entry});
}

Tile Machine::load_gpr(std::uint32_t entry) {
    return checked(memory_.gpr(entry), {Space::gpr, 0, 0, 0, entry});
}

float Machine::load_accumulator(unsigned channel, unsigned bank, std::uint32_t out) {
    const Accumulator& accumulator = memory_.accumulator(channel, out);
    if (!written(accumulator.written, bank)) {
        report({Space::accumulator, channel, bank, 0, out});
    }
    return accumulator.sums[bank];
}

void Machine::write_banks(const Instruction& instruction) {
    const Tile tile = load_gpr(instruction.gpr);
    const bool all = instruction.opcode == Opcode::wr_abk;
    const unsigned first = all ? 0 : instruction.bank;
    const unsigned last = all ? bank_count : first + 1;
    for_channels(instruction, [&](unsigned channel, unsigned) {
        for (unsigned bank = first; bank < last; ++bank) {
            memory_.bank(channel, bank, instruction.row, instruction.column) = tile;
        }
    });
}

void Machine::write_gbuf(const Instruction& instruction) {
    for (unsigned i = 0; i < instruction.opsize; ++i) {
        const Tile tile = load_gpr(instruction.gpr + i);
        for_channels(instruction, [&](unsigned channel, unsigned) {
            memory_.gbuf(channel, instruction.gbuf + i) = tile;
        });
    }
}

void Machine::write_bias(const Instruction& instruction) {
    const Tile tile = load_gpr(instruction.gpr);
    for_channels(instruction, [&](unsigned channel, unsigned) {
        Accumulator& accumulator = memory_.accumulator(channel, instruction.out);
        for (unsigned bank = 0; bank < bank_count; ++bank) {
            accumulator.sums[bank] = to_float(tile.values[bank]);
        }
        accumulator.written = all_lanes;
    });
}

void Machine::read_accumulators(const Instruction& instruction) {
    for_channels(instruction, [&](unsigned channel, unsigned position) {
        Tile& tile = memory_.gpr(instruction.gpr + position);
        for (unsigned bank = 0; bank < bank_count; ++bank) {
            tile.set(bank, to_bf16(load_accumulator(channel, bank, instruction.out)));
        }
    });
}

void Machine::read_activations(const Instruction& instruction) {
    for_channels(instruction, [&](unsigned channel, unsigned position) {
        memory_.gpr(instruction.gpr + position) =
            checked(memory_.activation(channel, instruction.out),
                    {Space::activation, channel, 0, 0, instruction.out});
    });
}

void Machine::read_bank(const Instruction& instruction) {
    for_channels(instruction, [&](unsigned channel, unsigned position) {
        memory_.gpr(instruction.gpr + position) =
            load_bank(channel, instruction.bank, instruction.row, instruction.column);
    });
}

void Machine::copy(const Instruction& instruction) {
    const unsigned bank = instruction.bank;
    for_channels(instruction, [&](unsigned channel, unsigned) {
        for (unsigned i = 0; i < instruction.opsize; ++i) {
            const unsigned column = instruction.column + i;
            const unsigned entry = instruction.gbuf + i;
            if (instruction.opcode == Opcode::copy_bkgb) {
                memory_.gbuf(channel, entry) = load_bank(channel, bank, instruction.row, column);
            } else {
                memory_.bank(channel, bank, instruction.row, column) = load_gbuf(channel, entry);
            }
        }
    });
}

void Machine::multiply_accumulate(const Instruction& instruction) {
    const bool all = instruction.opcode == Opcode::mac_abk;
    const bool from_next_bank = registers_[0] == 1;
    const unsigned first = all ? 0 : instruction.bank;
    const unsigned last = all ? bank_count : first + 1;
    for_channels(instruction, [&](unsigned channel, unsigned) {
        std::array<float, bank_count> sums{};
        for (unsigned bank = first; bank < last; ++bank) {
            sums[bank] = load_accumulator(channel, bank, instruction.out);
        }
        for (unsigned i = 0; i < instruction.opsize; ++i) {
            const unsigned column = instruction.column + i;
            Tile vector;
            if (!from_next_bank) vector = load_gbuf(channel, instruction.gbuf + i);
            for (unsigned bank = first; bank < last; ++bank) {
                if (from_next_bank) {
                    const unsigned next = (bank + 1) % bank_count;
                    vector = load_bank(channel, next, instruction.row, column);
                }
                sums[bank] += tree_dot(load_bank(channel, bank, instruction.row, column), vector);
            }
        }
        Accumulator& accumulator = memory_.accumulator(channel, instruction.out);
        for (unsigned bank = first; bank < last; ++bank) {
            accumulator.sums[bank] = sums[bank];
            accumulator.written = static_cast<std::uint16_t>(accumulator.written | 1U << bank);
        }
    });
}

void Machine::activate_accumulators(const Instruction& instruction) {
    const auto activation = static_cast<Activation>(registers_[2]);
    for_channels(instruction, [&](unsigned channel, unsigned) {
        Tile& results = memory_.activation(channel, instruction.out);
        for (unsigned bank = 0; bank < bank_count; ++bank) {
            results.set(bank,
                        activate(activation, load_accumulator(channel, bank, instruction.out)));
        }
    });
}

void Machine::multiply_elements(const Instruction& instruction) {
    const unsigned groups = registers_[1] == 1 ? bank_count / banks_per_group : 1;
    for_channels(instruction, [&](unsigned channel, unsigned) {
        for (unsigned first = 0; first < groups * banks_per_group; first += banks_per_group) {
            for (unsigned i = 0; i < instruction.opsize; ++i) {
                const unsigned column = instruction.column + i;
                const Tile a = load_bank(channel, first, instruction.row, column);
                const Tile b = load_bank(channel, first + 1, instruction.row, column);
                memory_.bank(channel, first + 2, instruction.row, column) = multiply(a, b);
            }
        }
    });
}

void Machine::add_registers(const Instruction& instruction) {
    for (unsigned i = 0; i < instruction.opsize; ++i) {
        const Tile sum = add(load_gpr(instruction.gpr + i), load_gpr(instruction.gpr2 + i));
        memory_.gpr(instruction.gpr + i) = sum;
    }
}

void Machine::host_read(const Instruction& instruction) {
    if (instruction.opcode == Opcode::read_gpr) {
        (void)load_gpr(instruction.gpr);
    } else {
        (void)load_bank(instruction.channel, instruction.bank, instruction.row, instruction.column);
    }
}

}  // namespace memside::pim
