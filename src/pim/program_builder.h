// Puts a program together in the order of its text, and keeps it within range: what the readers
// share. A fault is said without a place; the reader knows where it stands.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pim/instruction_table.h"
#include "pim/program.h"

namespace memside::pim {

inline constexpr std::size_t max_loop_depth = 16;
// At one instruction a cycle, two seconds of the device; whoever walks over a program ends.
inline constexpr std::uint64_t max_unrolled = std::uint64_t{1} << 32;

inline constexpr std::size_t stride_operand_count = 5;
// In the order of Stride::Operand.
inline constexpr std::array<Field, stride_operand_count> stride_fields{
    Field::row, Field::column, Field::gbuf, Field::gpr, Field::out};
// "row", "col", "gb", "gpr", "out".
std::string_view stride_name(Stride::Operand operand);

class ProgramBuilder {
  public:
    using Problem = std::optional<std::string>;

    void reserve(std::size_t instructions) { program_.instructions.reserve(instructions); }

    // The instruction must have no fault and be canonical.
    Problem add(const Instruction& instruction) {
        unrolled_ += repeats_;
        if (unrolled_ > max_unrolled) return too_long();
        program_.instructions.push_back(instruction);
        strided_ = false;
        return std::nullopt;
    }
    // Of the instruction that was added last; `depth` 1 is the innermost loop around it. The
    // operand must stay in range in every iteration.
    Problem stride(Stride::Operand operand, std::uint64_t depth, std::int64_t step);
    Problem begin_loop(std::uint64_t count);
    Problem end_loop();

    std::size_t open_loops() const { return open_.size(); }
    // All loops must have ended.
    Program finish() &&;

  private:
    struct Reach {
        std::int64_t low = 0;
        std::int64_t high = 0;
        std::uint32_t loops = 0;  // depths that have a stride, a bit each
    };

    static Problem too_long();

    Program program_;
    std::vector<std::uint32_t> open_;  // indices of loops, innermost last
    std::uint64_t repeats_ = 1;        // of what is added next
    std::uint64_t unrolled_ = 0;
    bool strided_ = false;
    std::array<Reach, stride_operand_count> reach_;  // of the last instruction, once strided_
};

// Whether loops nest, operands are in range in every iteration, and the length is bounded. Errors
// name the instruction or the loop by its index. `where` stands before it.
Status validate(const Program& program, const std::string& where);

// The program with each instruction as canonical() gives it; where a stride moves the column, the
// GBuf entry is among the operands that are written, because its default would be ambiguous.
Program canonical(const Program& program);

}  // namespace memside::pim
