#include "pim/pim_tables.h"

#include <fmt/format.h>

#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

std::string operands(const InstructionInfo& row) {
    std::string text;
    for (std::size_t i = 0; i < row.operand_count; ++i) {
        text += fmt::format("{}{}", i == 0 ? "" : ", ", info(row.operands[i]).name);
    }
    return text;
}

std::string optional_operands(const InstructionInfo& row) {
    std::string text;
    if ((row.optional & optional_column) != 0) text += " `col=`";
    if ((row.optional & optional_gbuf) != 0) text += " `gb=`";
    if ((row.optional & optional_out) != 0) text += " `out=`";
    return text;
}

std::string mode(const InstructionInfo& row) {
    switch (row.mode) {
        case Mode::rows:
            return "rows";
        case Mode::registers:
            return "registers";
        case Mode::either:
            break;
    }
    return "";
}

std::string gprs(const InstructionInfo& row) {
    if (!row.has(Field::gpr)) return "";
    switch (row.gpr_extent) {
        case GprExtent::one:
            return "1";
        case GprExtent::opsize:
            return "opsize";
        case GprExtent::channels:
            return "1 a channel";
    }
    return "";
}

}  // namespace

std::string instructions_markdown() {
    std::string table =
        "| instruction | operands | optional | effect | DRAM command | mode | GPRs | blocks the "
        "host |\n|---|---|---|---|---|---|---|---|\n";
    for (const InstructionInfo& row : instruction_table) {
        table += fmt::format("| `{}` | {} |{} | {} | {} | {} | {} | {} |\n", row.name,
                             operands(row), optional_operands(row), row.effect,
                             row.command ? command_name(*row.command) : "", mode(row), gprs(row),
                             row.blocks_host ? "yes" : "");
    }
    table += "\n| operand | from | to |\n|---|---|---|\n";
    for (const FieldInfo& field : field_table) {
        if (field.name == info(Field::mask).name) {
            table += fmt::format("| {} | {:#x} | {:#x} |\n", field.name, field.low, field.high);
        } else {
            table += fmt::format("| {} | {} | {} |\n", field.name, field.low, field.high);
        }
    }
    table += fmt::format("\nopsize of `AiM EWADD`: up to {}; value of CFR 0 and 1: up to {}.\n",
                         highest(Opcode::ewadd, Field::opsize), highest_config_value(0));
    return table;
}

std::string with_tables(const std::string& document) {
    constexpr std::string_view begin = "<!-- instructions: begin -->\n";
    constexpr std::string_view end = "<!-- instructions: end -->";
    const std::size_t from = document.find(begin);
    const std::size_t to = document.find(end);
    if (from == std::string::npos || to == std::string::npos || to < from) return "";
    return document.substr(0, from + begin.size()) + instructions_markdown() + document.substr(to);
}

}  // namespace memside::pim
