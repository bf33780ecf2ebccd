#include "pim/text_writer.h"

#include <fmt/compile.h>

#include <iterator>

#include "pim/program_builder.h"
#include "pim/program_walk.h"

namespace memside::pim {
namespace {

void append(std::string& out, const Instruction& instruction) {
    const InstructionInfo& row = info(instruction.opcode);
    const auto end = std::back_inserter(out);
    out += row.name;
    for (std::size_t i = 0; i < row.operand_count; ++i) {
        const std::uint32_t value = get(instruction, row.operands[i]);
        if (row.operands[i] == Field::mask) {
            fmt::format_to(end, FMT_COMPILE(" {:#x}"), value);
        } else {
            fmt::format_to(end, FMT_COMPILE(" {}"), value);
        }
    }
    const auto optional = [&](Optional bit, std::string_view key, std::uint32_t value) {
        if ((instruction.written & bit) != 0) {
            fmt::format_to(end, FMT_COMPILE(" {}={}"), key, value);
        }
    };
    optional(optional_column, "col", instruction.column);
    optional(optional_gbuf, "gb", instruction.gbuf);
    optional(optional_out, "out", instruction.out);
}

}  // namespace

std::string to_text(const Instruction& instruction) {
    std::string out;
    append(out, canonical(instruction));
    return out;
}

std::string to_text(const Program& program) {
    const Program whole = canonical(program);
    std::string out;
    out.reserve(whole.instructions.size() * 24);
    std::size_t indent = 0;
    walk(
        whole,
        [&](std::uint32_t count) {
            out.append(indent, ' ');
            fmt::format_to(std::back_inserter(out), FMT_COMPILE("LOOP {}\n"), count);
            indent += 2;
        },
        [&] {
            indent -= 2;
            out.append(indent, ' ');
            out += "END\n";
        },
        [&](std::size_t index, const std::vector<DepthStride>& strides) {
            out.append(indent, ' ');
            append(out, whole.instructions[index]);
            for (const DepthStride& stride : strides) {
                fmt::format_to(std::back_inserter(out), FMT_COMPILE(" {}+={}"),
                               stride_name(stride.operand), stride.step);
                if (stride.depth != 1) {
                    fmt::format_to(std::back_inserter(out), FMT_COMPILE("@{}"), stride.depth);
                }
            }
            out += '\n';
        });
    return out;
}

}  // namespace memside::pim
