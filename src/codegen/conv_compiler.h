// The border of libmemside-codegen.so, which alone links MLIR and LLVM. Memside opens it at run
// time: `ConvCompiler` below is that client, and includes nothing of LLVM.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "conv/conv_problem.h"
#include "conv/schedule.h"

namespace memside::codegen {

// A generated kernel runs the tasks [first_task, last_task) of conv::ConvPlan::tasks(). Threads may
// share the tasks of one call: each writes output of its own and needs `scratch` of its own.
//   input, output  in the schedule's layout, input_bytes() and output_bytes()
//   weights        conv::pack_weights()
//   tables         conv::pack_tables()
//   scratch        ConvPlan::scratch_bytes(), aligned to 64; may be null where that is 0
// It reads and writes nothing beyond these sizes, keeps no state and calls nothing.
using ConvKernel = void (*)(const std::uint8_t* input, const std::uint8_t* weights,
                            const std::int32_t* tables, std::uint8_t* output, std::uint8_t* scratch,
                            std::int64_t first_task, std::int64_t last_task);

// What to print of a compilation.
enum class Dump : std::int32_t {
    mlir,     // as built: func, scf, memref, vector, arith
    lowered,  // the LLVM dialect
    llvm,     // LLVM IR after optimisation
    assembly
};

// Machine code of one kernel, in this process. The function lives as long as a copy of the object.
class CompiledConv {
  public:
    CompiledConv(std::shared_ptr<void> handle, ConvKernel kernel)
        : handle_(std::move(handle)), function_(kernel) {}

    ConvKernel function() const { return function_; }

  private:
    std::shared_ptr<void> handle_;
    ConvKernel function_;
};

// The opened library. Thread-safe; closes with the last copy of the object and of its kernels.
class ConvCompiler {
  public:
    // Opens `path`; with "", the library of $MEMSIDE_CODEGEN, else the one beside the running
    // program, else the installed one. An environment error says what was tried.
    static Result<ConvCompiler> open(const std::string& path = "");

    // Compiles and links in memory: no file, no other process. It takes 25 to 85 ms. A schedule
    // that conv::valid() refuses gives its error; a target that this processor lacks compiles, but
    // must not be called (see runs_here()).
    Result<CompiledConv> compile(const conv::ConvProblem& problem, conv::Target target,
                                 const conv::Schedule& schedule) const;

    // An ELF object that defines `symbol` with the signature of ConvKernel.
    Result<std::vector<std::uint8_t>> compile_object(const conv::ConvProblem& problem,
                                                     conv::Target target,
                                                     const conv::Schedule& schedule,
                                                     const std::string& symbol) const;

    // The program as text at one stage.
    Result<std::string> dump(const conv::ConvProblem& problem, conv::Target target,
                             const conv::Schedule& schedule, Dump stage) const;

  private:
    struct Library;
    explicit ConvCompiler(std::shared_ptr<const Library> library) : library_(std::move(library)) {}

    std::shared_ptr<const Library> library_;
};

// Whether this processor and operating system can run a target's kernels.
bool runs_here(conv::Target target);

}  // namespace memside::codegen
