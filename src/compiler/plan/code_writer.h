// Where the kernels of a dynamic program are written to: instructions with operands that loops
// move, and loops, of a fixed count or over pieces of the request's tokens. What an implementation
// makes of them is its own: operations of the dialect `pim`, or items of a pim::DynamicProgram.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "pim/dynamic/hub_instruction.h"
#include "pim/instruction.h"
#include "pim/program.h"

namespace memside::compiler {

using Operand = pim::Stride::Operand;
// An open loop, as Step names it. no_loop: a loop of one iteration, which disappeared.
using LoopId = std::uint32_t;
inline constexpr LoopId no_loop = std::numeric_limits<LoopId>::max();

// By how much an operand grows in every further iteration of an open loop.
struct Step {
    LoopId loop = no_loop;
    Operand operand = Operand::row;
    std::int64_t step = 0;
};
using Steps = std::vector<Step>;

struct CodeLine {
    pim::Instruction instruction;
    std::optional<std::uint32_t> region = std::nullopt;  // then the row is a virtual one of it
    std::uint32_t opsize_span = 0;  // not 0: the opsize is the piece's tokens over this, rounded up
};

class CodeWriter {
  public:
    virtual ~CodeWriter() = default;

    // Steps of no_loop and steps of 0 are left out.
    void add(const CodeLine& line, Steps steps = {}) { write(line, kept(std::move(steps))); }
    // Steps: `gpr` moves gpr, `out` gpr_out, `row` gpr2.
    void add(const pim::HubInstruction& hub, Steps steps = {}) {
        write(hub, kept(std::move(steps)));
    }

    // Calls body(loop) once, with what it adds in a loop of `count` iterations.
    template <typename Body>
    void loop(std::uint32_t count, const Body& body) {
        if (count == 0) return;
        if (count == 1) return body(no_loop);
        const LoopId id = begin_loop(count);
        body(id);
        end_loop();
    }

    // The same, over the pieces of `span` tokens of the piece around it.
    template <typename Body>
    void token_loop(std::uint32_t span, const Body& body) {
        const LoopId id = begin_token_loop(span);
        body(id);
        end_loop();
    }

    // `total` things in batches of `size`: body(loop, first, count) for the full ones, in a loop
    // whose iterations lie `size` apart, and for the rest.
    template <typename Body>
    void batches(std::uint32_t total, std::uint32_t size, const Body& body) {
        const std::uint32_t full = total / size;
        loop(full, [&](LoopId id) { body(id, 0U, size); });
        if (total % size != 0) body(no_loop, full * size, total % size);
    }

  protected:
    virtual LoopId begin_loop(std::uint32_t count) = 0;
    virtual LoopId begin_token_loop(std::uint32_t span) = 0;
    virtual void end_loop() = 0;
    virtual void write(const CodeLine& line, const Steps& steps) = 0;
    virtual void write(const pim::HubInstruction& hub, const Steps& steps) = 0;

  private:
    static Steps kept(Steps steps) {
        std::erase_if(steps, [](const Step& s) { return s.loop == no_loop || s.step == 0; });
        return steps;
    }
};

}  // namespace memside::compiler
