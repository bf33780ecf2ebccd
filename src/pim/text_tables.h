// The instruction table as the text reader's inner loop wants it, made by the compiler: words to
// opcodes, and where each field of an Instruction comes from.
#pragma once

#include "pim/instruction_table.h"

namespace memside::pim {

// The words are told apart by their last eight letters and the first letter of the line; a
// multiplication spreads them over a table without collisions.
inline constexpr std::size_t slot_bits = 6;

constexpr std::uint64_t letters_of(std::string_view word) {
    std::uint64_t letters = 0;
    for (const char c : word) letters = letters << 8 | static_cast<unsigned char>(c);
    return letters;
}

constexpr std::size_t slot_of(char first, std::uint64_t letters, std::uint64_t factor) {
    return ((letters + static_cast<unsigned char>(first)) * factor) >> (64 - slot_bits);
}

struct WordTable {
    std::uint64_t factor = 0;
    std::array<std::uint8_t, std::size_t{1} << slot_bits> opcodes{};  // opcode_count: none
};

constexpr std::string_view second_word(std::string_view name) {
    return name.substr(name.find(' ') + 1);
}

constexpr WordTable make_word_table() {
    WordTable table;
    for (table.factor = 0x9E3779B97F4A7C15;; table.factor += 0x632BE59BD9B4E01A) {
        table.opcodes.fill(opcode_count);
        bool free = true;
        for (const InstructionInfo& row : instruction_table) {
            std::uint8_t& slot =
                table
                    .opcodes[slot_of(row.name[0], letters_of(second_word(row.name)), table.factor)];
            free = free && slot == opcode_count;
            slot = static_cast<std::uint8_t>(row.opcode);
        }
        if (free) return table;
    }
}
inline constexpr WordTable word_table = make_word_table();

// Where each field of an Instruction comes from: one of the operands in order, or a constant.
inline constexpr std::uint8_t from_zero = max_operands;
inline constexpr std::uint8_t from_one = max_operands + 1;
struct OperandSources {
    std::uint8_t opsize = from_one;
    std::uint8_t mask = from_zero, bank = from_zero, channel = from_zero, row = from_zero;
    std::uint8_t gpr = from_zero, gpr2 = from_zero;
    std::array<std::uint32_t, max_operands> low{};
    std::array<std::uint32_t, max_operands> span{};  // high - low
};

inline constexpr std::array<OperandSources, opcode_count> operand_sources = [] {
    std::array<OperandSources, opcode_count> result{};
    for (const InstructionInfo& row : instruction_table) {
        OperandSources& from = result[static_cast<std::size_t>(row.opcode)];
        for (std::uint8_t i = 0; i < row.operand_count; ++i) {
            const Field field = row.operands[i];
            from.low[i] = info(field).low;
            from.span[i] = highest(row.opcode, field) - from.low[i];
            switch (field) {
                case Field::opsize:
                    from.opsize = i;
                    break;
                case Field::mask:
                    from.mask = i;
                    break;
                case Field::bank:
                    from.bank = i;
                    break;
                case Field::channel:
                    from.channel = i;
                    break;
                case Field::row:
                    from.row = i;
                    break;
                case Field::gpr:
                case Field::config:
                    from.gpr = i;
                    break;
                default:
                    from.gpr2 = i;
            }
        }
    }
    return result;
}();

}  // namespace memside::pim
