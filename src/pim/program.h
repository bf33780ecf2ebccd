// A program: instructions and the loops around them. Loops keep a program's size independent of the
// context; Cursor unrolls them in order.
#pragma once

#include <cstdint>
#include <vector>

#include "pim/instruction.h"

namespace memside::pim {

// Instructions [first, last) run `count` times. Loops nest and do not overlap otherwise; of two
// with the same body the earlier in the list is the outer one. A body is not empty, a count is not
// zero.
struct Loop {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::uint32_t count = 1;

    friend bool operator==(const Loop&, const Loop&) = default;
};

// In every further iteration of loop `loop` (an index into Program::loops) the operand of
// instruction `instruction` grows by `step`; entering the loop again starts from the written value.
struct Stride {
    enum class Operand : std::uint8_t { row, column, gbuf, gpr, out };
    std::uint32_t instruction = 0;
    std::uint32_t loop = 0;
    Operand operand = Operand::row;
    std::int32_t step = 0;

    friend bool operator==(const Stride&, const Stride&) = default;
};

struct Program {
    std::vector<Instruction> instructions;
    std::vector<Loop> loops;      // sorted by first, outer before inner
    std::vector<Stride> strides;  // sorted by instruction

    // Instructions after unrolling.
    std::uint64_t unrolled_count() const;

    friend bool operator==(const Program&, const Program&) = default;
};

// Walks over the unrolled instructions in order. The program outlives the cursor.
class Cursor {
  public:
    explicit Cursor(const Program& program);

    bool done() const { return position_ >= program_->instructions.size(); }
    // With the strides of the current iterations applied.
    const Instruction& operator*() const { return current_; }
    const Instruction* operator->() const { return &current_; }
    void next();

  private:
    void enter_loops();
    void load();

    struct Active {
        std::uint32_t loop = 0;
        std::uint32_t iteration = 0;
    };

    const Program* program_;
    std::size_t position_ = 0;
    std::uint32_t next_loop_ = 0;  // first loop that has not been entered at this position
    std::vector<Active> active_;   // innermost last
    std::vector<std::uint32_t> iterations_;    // by loop
    std::vector<std::uint32_t> first_stride_;  // by instruction, one more at the end
    Instruction current_;
};

}  // namespace memside::pim
