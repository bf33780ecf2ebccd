// Writes programs with loops. A loop of one iteration becomes its body, one of none disappears.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>

#include "pim/program.h"

namespace memside::pim {

class KernelWriter {
  public:
    // An open loop, as Step names it.
    using LoopId = std::uint32_t;

    // By how much an operand grows in every further iteration of an open loop.
    struct Step {
        LoopId loop = 0;
        Stride::Operand operand = Stride::Operand::row;
        std::int64_t step = 0;
    };

    void add(const Instruction& instruction, std::initializer_list<Step> steps = {});

    // Calls body(loop) once, with what it adds in a loop of `count` iterations.
    template <typename Body>
    void loop(std::uint32_t count, const Body& body) {
        if (count == 0) return;
        if (count == 1) return body(no_loop);
        const LoopId id = open(count);
        body(id);
        close(id);
    }

    // Ends with EOC.
    Program finish() &&;

  private:
    static constexpr LoopId no_loop = std::numeric_limits<LoopId>::max();

    LoopId open(std::uint32_t count);
    void close(LoopId id);

    Program program_;
};

}  // namespace memside::pim
