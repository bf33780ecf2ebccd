// The C functions of libmemside-codegen.so. Only the client (conv_compiler.cpp) and the library
// itself include this.
#pragma once

#include <cstddef>
#include <cstdint>

#include "codegen/conv_compiler.h"
#include "conv/conv_problem.h"
#include "conv/schedule.h"

namespace memside::codegen {

// Integers alone, in the layout that both sides were compiled with.
struct ConvRequest {
    conv::ConvProblem problem;
    conv::Target target;
    conv::Schedule schedule;
};

// Changes whenever the meaning of the request or of a function does.
inline constexpr std::uint64_t interface_version = 1;
inline constexpr std::uint64_t interface_id = interface_version << 32U | sizeof(ConvRequest);

// Texts and bytes that the library returns are released with memside_codegen_free().
extern "C" {
std::uint64_t memside_codegen_interface();
void memside_codegen_free(void* memory);

// A handle for memside_conv_release() and the function; null, and *error, where it fails.
void* memside_conv_compile(const ConvRequest* request, ConvKernel* function, char** error);
void memside_conv_release(void* handle);

// The bytes, or null and *error.
unsigned char* memside_conv_object(const ConvRequest* request, const char* symbol,
                                   std::size_t* size, char** error);
// The text, or null and *error. `stage` is a Dump.
char* memside_conv_text(const ConvRequest* request, std::int32_t stage, char** error);
}

}  // namespace memside::codegen
