#include "pim/instruction_table.h"

#include <bit>

namespace memside::pim {
namespace {

static_assert([] {
    for (std::size_t i = 0; i < opcode_count; ++i) {
        if (static_cast<std::size_t>(instruction_table[i].opcode) != i) return false;
    }
    return true;
}());

constexpr Optional optional_of(Field field) {
    return field == Field::column ? optional_column
           : field == Field::gbuf ? optional_gbuf
                                  : optional_out;
}

constexpr std::array<Field, 3> optional_fields{Field::column, Field::gbuf, Field::out};

std::uint32_t default_of(const Instruction& instruction, Field field) {
    return field == Field::gbuf && info(instruction.opcode).has(Field::column)
               ? instruction.column % gbuf_entries
               : 0;
}

// How often a field can be stepped over: the number of values from 0 on.
std::uint32_t count_of(Field field) {
    return info(field).high + 1;
}

std::string above(Field field, std::int64_t value, std::uint32_t high) {
    return fmt::format("{} {} is above {}", info(field).name, value, high);
}

}  // namespace

std::string_view command_name(Command command) {
    static constexpr std::array<std::string_view, command_count> names{
        "ACT",  "ACT16",   "PRE",     "PREA",   "TMOD",  "RD",      "WR",
        "RDCP", "WRCP",    "MAC",     "MAC16",  "AF16",  "EWMUL16", "WRA16",
        "WRGB", "WRMAC16", "RDMAC16", "RDAF16", "REFab", "REFpb"};
    return names[static_cast<std::size_t>(command)];
}

std::uint32_t get(const Instruction& instruction, Field field) {
    switch (field) {
        case Field::opsize:
            return instruction.opsize;
        case Field::gpr:
        case Field::config:
            return instruction.gpr;
        case Field::gpr2:
        case Field::value:
            return instruction.gpr2;
        case Field::mask:
            return instruction.mask;
        case Field::channel:
            return instruction.channel;
        case Field::bank:
            return instruction.bank;
        case Field::row:
            return instruction.row;
        case Field::column:
            return instruction.column;
        case Field::gbuf:
            return instruction.gbuf;
        case Field::out:
            return instruction.out;
    }
    return 0;
}

std::uint32_t extent(const Instruction& instruction, Field field) {
    switch (field) {
        case Field::column:
        case Field::gbuf:
            return instruction.opsize;
        case Field::gpr:
        case Field::gpr2:
            switch (info(instruction.opcode).gpr_extent) {
                case GprExtent::one:
                    return 1;
                case GprExtent::opsize:
                    return instruction.opsize;
                case GprExtent::channels:
                    return static_cast<std::uint32_t>(std::popcount(instruction.mask));
            }
            return 1;
        default:
            return 1;
    }
}

Instruction canonical(Instruction instruction) {
    const InstructionInfo& row = info(instruction.opcode);
    const bool moved[] = {
        row.has(Field::column) && instruction.column != 0,
        row.has(Field::gbuf) && instruction.gbuf != default_of(instruction, Field::gbuf),
        row.has(Field::out) && instruction.out != 0};
    Instruction result{.opcode = instruction.opcode};
    if (row.has(Field::opsize)) result.opsize = instruction.opsize;
    if (row.has(Field::gpr) || row.has(Field::config)) result.gpr = instruction.gpr;
    if (row.has(Field::gpr2) || row.has(Field::value)) result.gpr2 = instruction.gpr2;
    if (row.has(Field::mask)) result.mask = instruction.mask;
    if (row.has(Field::channel)) result.channel = instruction.channel;
    if (row.has(Field::bank)) result.bank = instruction.bank;
    if (row.has(Field::row)) result.row = instruction.row;
    if (row.has(Field::column)) result.column = instruction.column;
    if (row.has(Field::gbuf)) result.gbuf = instruction.gbuf;
    if (row.has(Field::out)) result.out = instruction.out;
    unsigned written = instruction.written & row.optional;
    for (std::size_t i = 0; i < optional_fields.size(); ++i) {
        if (moved[i]) written |= optional_of(optional_fields[i]);
    }
    result.written = static_cast<std::uint8_t>(written);
    return result;
}

std::optional<Fault> find_fault(const Instruction& instruction, Field field, std::int64_t value) {
    const std::string_view name = info(field).name;
    if (value < info(field).low) {
        if (field == Field::mask) return Fault{field, "mask 0 addresses no channel"};
        return Fault{field, fmt::format("{} {} is below {}", name, value, info(field).low)};
    }
    std::uint32_t high = highest(instruction.opcode, field);
    if (field == Field::value && instruction.gpr < 2) {
        high = highest_config_value(instruction.gpr);
        if (value > high) {
            return Fault{field,
                         fmt::format("{} of CFR {}", above(field, value, high), instruction.gpr)};
        }
    }
    if (value > high) return Fault{field, above(field, value, high)};
    const std::uint32_t used = extent(instruction, field);
    if (used > 1 && value + used > count_of(field)) {
        return Fault{field, fmt::format("{} {} and the {} after it end above {}", name, value,
                                        used - 1, count_of(field) - 1)};
    }
    return std::nullopt;
}

std::optional<Fault> find_fault(const Instruction& instruction) {
    const InstructionInfo& row = info(instruction.opcode);
    // The written operands first: opsize and mask say how far the others reach.
    for (const bool reach : {false, true}) {
        for (std::size_t i = 0; i < row.operand_count; ++i) {
            const Field field = row.operands[i];
            if (reach != (extent(instruction, field) > 1)) continue;
            if (auto fault = find_fault(instruction, field, get(instruction, field))) return fault;
        }
    }
    for (const Field field : optional_fields) {
        if (!row.has(field)) continue;
        if (auto fault = find_fault(instruction, field, get(instruction, field))) return fault;
    }
    return std::nullopt;
}

}  // namespace memside::pim
