// The C functions of libmemside-compiler.so. Only the client (compiler.cpp) and the library itself
// include this.
#pragma once

#include <cstdint>

#include "compiler/compiler.h"

namespace memside::compiler {

// What a compilation came to: a value, or where and why there is none.
struct CompileAnswer {
    Compilation made;
    std::optional<Error> error;
};

// Changes whenever the meaning of the request or of a function does. Both sides are of one build:
// they share the layout of these structs and the allocator of their strings.
inline constexpr std::uint64_t interface_version = 3;
inline constexpr std::uint64_t interface_id =
    interface_version << 32U | sizeof(CompileRequest) << 16U | sizeof(CompileAnswer);

extern "C" {
std::uint64_t memside_compiler_interface();
// Fills in the answer.
void memside_compile(const CompileRequest* request, CompileAnswer* answer);
}

}  // namespace memside::compiler
