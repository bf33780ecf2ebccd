// A dynamic program unrolled for one request and step: what the dispatcher's decode unit sends on,
// instruction by instruction, with physical rows.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "pim/dynamic/dynamic_program.h"
#include "pim/dynamic/kv_layout.h"

namespace memside::pim {

// A hub instruction at its place: operands as modified, the piece of tokens that it is at, and the
// request's tokens T, the new one included.
struct HubCall {
    HubInstruction hub;
    std::uint64_t first_token = 0;
    std::uint64_t tokens = 0;
    std::uint64_t request_tokens = 0;
    // Of the new token, where the module has a part of the tokens only; else request_tokens - 1.
    std::optional<std::uint64_t> position = std::nullopt;
    const std::vector<float>* table = nullptr;  // of the program, where the instruction names one

    friend bool operator==(const HubCall&, const HubCall&) = default;
};

// Takes an expansion in order; an error ends it.
class Sink {
  public:
    virtual ~Sink() = default;
    // Canonical, in range, with a physical row.
    virtual Status instruction(const Instruction& instruction) = 0;
    virtual Status hub(const HubCall& call) = 0;
};

// Expands entries of a valid program. The program outlives it.
class Expander {
  public:
    // `module`: which of those that share a request's tokens, where the program says that they do.
    explicit Expander(const DynamicProgram& program, std::uint32_t module = 0);

    // One entry for a request of `tokens` tokens, all modules' together. `tables` has the request's
    // rows by region; those of regions that are no request's are not looked at. bad_input: no
    // tokens, more than the program allows, or a row without a chunk.
    Status run(const ExecutionEntry& entry, std::uint64_t tokens, std::span<const RowTable> tables,
               Sink& sink) const;
    // All entries in order.
    Status run_all(std::uint64_t tokens, std::span<const RowTable> tables, Sink& sink) const;

    const DynamicProgram& program() const { return *program_; }
    const TokenShare& share() const { return share_; }

  private:
    const DynamicProgram* program_;
    TokenShare share_;
    std::vector<std::uint32_t> loop_ends_;  // by item: the end of the loop that begins there
};

}  // namespace memside::pim
