// The program of a step's attention by itself, without MLIR: what `memside compile --kernel
// attention` emits, for who simulates many shapes.
#pragma once

#include <string>

#include "compiler/plan/attention_plan.h"
#include "pim/dynamic/dynamic_program.h"

namespace memside::compiler {

// Of one request: its new keys and values go into the caches, then rounds of heads attend. Regions:
// keys of all rounds, then values of all rounds. `options` have no block_tokens, heads_at_once or
// order: they are chosen as the passes choose. bad_input: what plan_rounds() refuses, and more
// heads than the registers hold. `in_flight`: so many such programs share the scratch and the
// states of the hub at a time; the passes make the program of 1.
Result<pim::DynamicProgram> attention_program(const std::string& model, const AttentionShape& shape,
                                              const AttentionOptions& options,
                                              std::uint32_t in_flight = 1);

}  // namespace memside::compiler
