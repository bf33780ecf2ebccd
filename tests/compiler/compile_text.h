// Compiles decode steps, written as text, by the passes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "pim/dynamic/dynamic_program.h"

namespace memside::compiler {

struct CompileOptions {
    std::string heads = "tcp";
    unsigned channels = 32;
    bool is_static = false;         // addresses
    std::uint64_t max_context = 0;  // of static addresses
    bool unroll = false;            // for max_context
    bool order = true;
    unsigned tensor = 1;    // modules that share a layer
    unsigned pipeline = 1;  // stages
    bool row_reuse = true;
    unsigned accumulators = 64;
};

struct CompiledProgram {
    pim::DynamicProgram program;
    std::map<std::string, std::uint32_t> registers;  // "argument0", "result0": the first
};

// Of a module with one function. Fails the test with the diagnostics.
std::optional<CompiledProgram> compile_text(const std::string& text, const CompileOptions& options);

// The diagnostics of a text that must not compile.
std::string diagnostics_of(const std::string& text, const CompileOptions& options);

}  // namespace memside::compiler
