// The one table of the host instructions: operands in order, optional operands, effect, DRAM
// command, mode. Readers, writers and documents take names and ranges from here. Source: the public
// AiM simulator (arkhadem/aim_simulator, commit 0f28a07), as recorded in docs/pim.md; `col=`, `gb=`
// and `out=` are this project's.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "pim/instruction.h"

namespace memside::pim {

// Accumulators of a bank that `out=` can name. The depth of the output buffer is unpublished: a
// scheduler may have fewer, and says so.
inline constexpr std::uint32_t out_entries = 4096;

// What the text gives as a number.
enum class Field : std::uint8_t {
    opsize,
    gpr,
    gpr2,
    mask,
    channel,
    bank,
    row,
    config,  // configuration register
    value,   // what it is set to
    column,
    gbuf,
    out,
};
inline constexpr std::size_t field_count = 12;

struct FieldInfo {
    std::string_view name;
    std::uint32_t low;
    std::uint32_t high;
};
inline constexpr std::array<FieldInfo, field_count> field_table{{
    {"opsize", 1, columns_per_row},
    {"GPR", 0, gpr_entries - 1},
    {"second GPR", 0, gpr_entries - 1},
    {"mask", 1, 0xffffffff},
    {"channel", 0, channel_count - 1},
    {"bank", 0, bank_count - 1},
    {"row", 0, rows_per_bank - 1},
    {"CFR", 0, 2},
    {"value", 0, 7},
    {"col", 0, columns_per_row - 1},
    {"gb", 0, gbuf_entries - 1},
    {"out", 0, out_entries - 1},
}};
constexpr const FieldInfo& info(Field field) {
    return field_table[static_cast<std::size_t>(field)];
}

// Whether the device must be in register mode for a command; TMOD changes over.
enum class Mode : std::uint8_t { either, rows, registers };

// How many GPRs an instruction uses, from the written one on.
enum class GprExtent : std::uint8_t { one, opsize, channels };

inline constexpr std::size_t max_operands = 4;

struct InstructionInfo {
    Opcode opcode;
    std::string_view name;  // "AiM MAC_ABK", "W GPR"
    std::array<Field, max_operands> operands;
    std::uint8_t operand_count;
    std::uint8_t optional;  // a set of Optional
    std::optional<Command> command;
    Mode mode;
    bool blocks_host;  // the host decodes nothing until it is answered
    GprExtent gpr_extent;
    std::string_view effect;

    constexpr bool has(Field field) const {
        for (std::size_t i = 0; i < operand_count; ++i) {
            if (operands[i] == field) return true;
        }
        return (field == Field::column && (optional & optional_column) != 0) ||
               (field == Field::gbuf && (optional & optional_gbuf) != 0) ||
               (field == Field::out && (optional & optional_out) != 0);
    }
};

namespace table_parts {
using enum Field;
inline constexpr std::uint8_t none = 0;
inline constexpr std::uint8_t col = optional_column;
inline constexpr std::uint8_t gb = optional_gbuf;
inline constexpr std::uint8_t acc = optional_out;  // `out` is a Field here
inline constexpr std::uint8_t col_gb = col | gb;
inline constexpr std::uint8_t col_gb_acc = col_gb | acc;
}  // namespace table_parts

// In the order of Opcode.
inline constexpr std::array<InstructionInfo, opcode_count> instruction_table = [] {
    using namespace table_parts;
    using C = Command;
    using O = Opcode;
    using G = GprExtent;
    constexpr Mode rows = Mode::rows;
    constexpr Mode regs = Mode::registers;
    constexpr Mode either = Mode::either;
    constexpr std::nullopt_t nil = std::nullopt;
    constexpr bool yes = true;
    constexpr bool no = false;
    return std::array<InstructionInfo, opcode_count>{{
        // clang-format off
        {O::wr_sbk, "AiM WR_SBK", {gpr, mask, bank, row}, 4, col,
         C::wr, rows, no, G::one, "writes a GPR to one column of one bank"},
        {O::wr_abk, "AiM WR_ABK", {gpr, mask, row}, 3, col,
         C::wra16, rows, no, G::one,
         "writes a GPR to one column of all banks and closes their rows"},
        {O::wr_gb, "AiM WR_GB", {opsize, gpr, mask}, 3, gb,
         C::wrgb, regs, no, G::opsize, "writes GPRs to entries of the global buffer"},
        {O::wr_bias, "AiM WR_BIAS", {gpr, mask}, 2, acc,
         C::wrmac16, regs, no, G::one, "sets the accumulators of all banks, one value each"},
        {O::rd_mac, "AiM RD_MAC", {gpr, mask}, 2, acc,
         C::rdmac16, regs, yes, G::channels, "reads the accumulators of all banks into GPRs"},
        {O::rd_af, "AiM RD_AF", {gpr, mask}, 2, acc,
         C::rdaf16, regs, yes, G::channels,
         "reads the results of the activation function into GPRs"},
        {O::rd_sbk, "AiM RD_SBK", {gpr, mask, bank, row}, 4, col,
         C::rd, rows, no, G::channels, "reads one column of one bank into GPRs"},
        {O::copy_bkgb, "AiM COPY_BKGB", {opsize, mask, bank, row}, 4, col_gb,
         C::rdcp, rows, no, G::one, "copies columns of one bank to the global buffer"},
        {O::copy_gbbk, "AiM COPY_GBBK", {opsize, mask, bank, row}, 4, col_gb,
         C::wrcp, rows, no, G::one, "copies the global buffer to columns of one bank"},
        {O::mac_sbk, "AiM MAC_SBK", {opsize, mask, bank, row}, 4, col_gb_acc,
         C::mac, rows, no, G::one,
         "multiplies columns of one bank with the global buffer and accumulates"},
        {O::mac_abk, "AiM MAC_ABK", {opsize, mask, row}, 3, col_gb_acc,
         C::mac16, rows, no, G::one,
         "multiplies columns of all banks with the global buffer and accumulates"},
        {O::af, "AiM AF", {mask}, 1, acc,
         C::af16, rows, no, G::one,
         "applies the activation function to the accumulators of all banks"},
        {O::ewmul, "AiM EWMUL", {opsize, mask, row}, 3, col,
         C::ewmul16, rows, no, G::one,
         "multiplies columns of banks 0 and 1 of each group into its bank 2"},
        {O::ewadd, "AiM EWADD", {opsize, gpr, gpr2}, 3, none,
         nil, either, no, G::opsize, "adds GPRs"},
        {O::sync, "AiM SYNC", {}, 0, none,
         nil, either, yes, G::one, "waits for all channels"},
        {O::eoc, "AiM EOC", {}, 0, none,
         nil, either, yes, G::one, "waits for all channels; the program ends"},
        {O::write_gpr, "W GPR", {gpr}, 1, none,
         nil, either, no, G::one, "the host writes a GPR"},
        {O::read_gpr, "R GPR", {gpr}, 1, none,
         nil, either, no, G::one, "the host reads a GPR"},
        {O::write_cfr, "W CFR", {config, value}, 2, none,
         nil, either, no, G::one, "the host sets a configuration register"},
        {O::write_mem, "W MEM", {channel, bank, row}, 3, none,
         C::wr, rows, no, G::one, "the host writes column 0 of a row"},
        {O::read_mem, "R MEM", {channel, bank, row}, 3, none,
         C::rd, rows, no, G::one, "the host reads column 0 of a row"},
        // clang-format on
    }};
}();
constexpr const InstructionInfo& info(Opcode opcode) {
    return instruction_table[static_cast<std::size_t>(opcode)];
}

// The largest value of an operand of this opcode: EWADD runs over all GPRs, CFR 0 and 1 hold a bit.
constexpr std::uint32_t highest(Opcode opcode, Field field) {
    if (opcode == Opcode::ewadd && field == Field::opsize) return gpr_entries;
    return info(field).high;
}
constexpr std::uint32_t highest_config_value(std::uint32_t config) {
    return config == 2 ? info(Field::value).high : 1;
}

// "ACT16", "REFab": as in the public simulator's statistics.
std::string_view command_name(Command command);

// The operand's value; 0 for a field that the opcode does not have.
std::uint32_t get(const Instruction& instruction, Field field);

// Operands that an instruction uses one after another: it starts at get(field) and uses this many.
std::uint32_t extent(const Instruction& instruction, Field field);

// An instruction as readers give it: what its opcode does not have is zero (opsize 1), an optional
// operand that is not among `written` has its default, and one that has not is among them.
Instruction canonical(Instruction instruction);

// What is wrong with an instruction, and in which operand.
struct Fault {
    Field field;
    std::string what;  // "row 20000 is above 16383"
};
std::optional<Fault> find_fault(const Instruction& instruction);

// The fault of an operand that starts at `value`, negative or not, given the rest of the
// instruction.
std::optional<Fault> find_fault(const Instruction& instruction, Field field, std::int64_t value);

// Of an instruction whose operands are each in range: true when they certainly do not reach beyond
// an end together. Cheaper than find_fault, which has to tell when this is false.
constexpr bool reaches_surely(const Instruction& made) {
    const std::uint32_t gprs = made.opsize > channel_count ? made.opsize : channel_count;
    return made.column + made.opsize <= columns_per_row &&
           made.gbuf + made.opsize <= gbuf_entries && made.gpr + gprs <= gpr_entries &&
           made.gpr2 + made.opsize <= gpr_entries && made.opcode != Opcode::write_cfr;
}

}  // namespace memside::pim
