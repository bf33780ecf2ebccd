// Random programs with loops and strides, every operand anywhere in its range, for properties of
// readers and writers.
#pragma once

#include <random>

#include "pim/instruction_table.h"
#include "pim/program_builder.h"

namespace memside::pim {

class LoopedPrograms {
  public:
    explicit LoopedPrograms(std::uint64_t seed) : random_(seed) {}

    // Canonical and in range.
    Program next(std::size_t instructions) {
        Program program;
        body(program, instructions, {});
        return program;
    }

    Instruction instruction() {
        for (;;) {
            const Instruction made = canonical(
                {.opcode = static_cast<Opcode>(below(opcode_count)),
                 .bank = static_cast<std::uint8_t>(below(bank_count)),
                 .written = static_cast<std::uint8_t>(below(8)),
                 .channel = static_cast<std::uint8_t>(below(channel_count)),
                 .column = static_cast<std::uint16_t>(below(2) * below(columns_per_row)),
                 .gbuf = static_cast<std::uint16_t>(below(gbuf_entries)),
                 .out = below(2) * below(out_entries),
                 .opsize = 1 + below(below(2) == 0 ? 8 : columns_per_row),
                 .mask = below(2) == 0 ? 0xffffffff : static_cast<std::uint32_t>(random_()),
                 .row = below(rows_per_bank),
                 .gpr = below(gpr_entries),
                 .gpr2 = below(gpr_entries)});
            if (!find_fault(made)) return made;
        }
    }

    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }

  private:
    void body(Program& program, std::size_t count, const std::vector<std::uint32_t>& around) {
        for (std::size_t i = 0; i < count; ++i) {
            if (around.size() < 4 && below(4) == 0) {
                std::vector<std::uint32_t> inside = around;
                const auto loop = static_cast<std::uint32_t>(program.loops.size());
                inside.push_back(loop);
                const auto first = static_cast<std::uint32_t>(program.instructions.size());
                program.loops.push_back({first, first, 1 + below(5)});
                body(program, 1 + below(3), inside);
                program.loops[loop].last = static_cast<std::uint32_t>(program.instructions.size());
            } else {
                program.instructions.push_back(instruction());
                if (!around.empty()) strides(program, around);
            }
        }
    }

    // Those that are allowed; the loops around are still open, so they end here for the check.
    void strides(Program& program, const std::vector<std::uint32_t>& around) {
        for (int tries = 0; tries < 3; ++tries) {
            Program attempt = program;
            for (const std::uint32_t loop : around) {
                attempt.loops[loop].last = static_cast<std::uint32_t>(program.instructions.size());
            }
            const Stride stride{static_cast<std::uint32_t>(program.instructions.size() - 1),
                                around[below(static_cast<std::uint32_t>(around.size()))],
                                static_cast<Stride::Operand>(below(stride_operand_count)),
                                static_cast<std::int32_t>(below(41)) - 20};
            attempt.strides.push_back(stride);
            if (!validate(attempt, "").ok()) continue;
            program.strides.push_back(stride);
            program.instructions.back() = canonical(attempt).instructions.back();
        }
    }

    std::mt19937_64 random_;
};

}  // namespace memside::pim
