#include "pim/program_check.h"

namespace memside::pim {
namespace {

struct Range {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

// What the operand runs through in all iterations of the loops that stride over it.
Range range_of(const Program& program, std::uint32_t instruction, Stride::Operand operand,
               std::int64_t written) {
    Range range{written, written};
    const auto first = std::lower_bound(
        program.strides.begin(), program.strides.end(), instruction,
        [](const Stride& stride, std::uint32_t index) { return stride.instruction < index; });
    for (auto it = first; it != program.strides.end() && it->instruction == instruction; ++it) {
        if (it->operand != operand) continue;
        const std::int64_t reach =
            std::int64_t{it->step} * (std::int64_t{program.loops[it->loop].count} - 1);
        (reach < 0 ? range.low : range.high) += reach;
    }
    return range;
}

class Checker {
  public:
    explicit Checker(const Program& program) : program_(program) {}

    Status check(std::uint32_t index) {
        index_ = index;
        const Instruction& i = program_.instructions[index];
        if (i.opsize < 1) return error("opsize", 0, "1 and more");
        const std::int64_t more = i.opsize - 1;
        MEMSIDE_CHECK(within("bank", {i.bank, i.bank}, bank_count));
        MEMSIDE_CHECK(within("channel", {i.channel, i.channel}, channel_count));
        MEMSIDE_CHECK(strided("row", Stride::Operand::row, i.row, 0, rows_per_bank));
        MEMSIDE_CHECK(strided("column", Stride::Operand::column, i.column,
                              uses_columns(i) ? more : 0, columns_per_row));
        MEMSIDE_CHECK(strided("gbuf", Stride::Operand::gbuf, i.gbuf, 0, gbuf_entries));
        MEMSIDE_CHECK(strided("out", Stride::Operand::out, i.out, 0, std::int64_t{1} << 32));
        // W CFR keeps a register's number there.
        MEMSIDE_CHECK(strided("gpr", Stride::Operand::gpr, i.gpr, 0, gpr_entries));
        return {};
    }

  private:
    static bool uses_columns(const Instruction& i) {
        return i.opcode == Opcode::mac_abk || i.opcode == Opcode::mac_sbk ||
               i.opcode == Opcode::ewmul || i.opcode == Opcode::copy_bkgb ||
               i.opcode == Opcode::copy_gbbk;
    }

    Status error(std::string_view operand, std::int64_t value, std::string_view allowed) const {
        return bad_input(
            fmt::format("instruction {}", index_ + 1),
            fmt::format("{} {} is out of range; allowed: {}", operand, value, allowed));
    }

    Status within(std::string_view operand, Range range, std::int64_t count) const {
        if (range.low < 0 || range.high >= count) {
            return error(operand, range.low < 0 ? range.low : range.high,
                         fmt::format("0 to {}", count - 1));
        }
        return {};
    }

    Status strided(std::string_view name, Stride::Operand operand, std::int64_t written,
                   std::int64_t more, std::int64_t count) const {
        Range range{written, written};
        if (!program_.strides.empty()) range = range_of(program_, index_, operand, written);
        range.high += more;
        return within(name, range, count);
    }

    const Program& program_;
    std::uint32_t index_ = 0;
};

}  // namespace

Status check_program(const Program& program) {
    Checker checker(program);
    for (std::uint32_t i = 0; i < program.instructions.size(); ++i) {
        MEMSIDE_CHECK(checker.check(i));
    }
    return {};
}

}  // namespace memside::pim
