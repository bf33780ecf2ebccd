// The border of libmemside-compiler.so, which alone links MLIR and LLVM. Memside opens it at run
// time: `Compiler` below is that client, and includes nothing of LLVM.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/layer_description.h"

namespace memside::compiler {

enum class KernelKind : std::uint8_t { qk, sv, attention, ffn, layer };
enum class DeviceTarget : std::uint8_t { aim, pnm };
enum class Emit : std::uint8_t { mlir, assembly, binary };

struct CompileRequest {
    // A layer of a model, or the text of a file of MLIR in `decode` or `linalg`.
    std::optional<LayerDescription> layer;
    std::string input;
    std::string input_name;  // for messages
    KernelKind kernel = KernelKind::layer;
    DeviceTarget target = DeviceTarget::aim;
    std::uint64_t context = 0;  // tokens; 0: dynamic
    unsigned channels = 32;
    bool tokens_split = true;  // TCP; else HFP
    bool dynamic_access = true;
    unsigned tensor = 1;    // modules that share a layer
    unsigned pipeline = 1;  // stages
    bool row_reuse = false;
    unsigned accumulators = 64;  // entries of the output buffer that the program may use
    // Of the CXL-PNM device; 0: known when the step runs. Without a value: what a function that
    // selects pages says, else 32 tokens, and pages that are known when the step runs.
    std::optional<std::uint64_t> page_tokens;
    std::optional<std::uint64_t> selected_pages;
    unsigned kv_bits = 16;
    unsigned digest_bits = 16;
    Emit emit = Emit::assembly;
    std::string print_after;  // a pass; "": none
    bool pass_statistics = false;
};

struct Compilation {
    std::string output;
    std::string log;  // as compile() gives it
};

// The opened library. Thread-safe; closes with the last copy of the object.
class Compiler {
  public:
    // Opens `path`; with "", the library of $MEMSIDE_COMPILER, else the one beside the running
    // program, else the installed one. An environment error says what was tried.
    static Result<Compiler> open(const std::string& path = "");

    // bad_input with the place in the input, the first of several. `log`, if given, gets what
    // --print-after and --pass-statistics show, of a compilation that fails as well.
    Result<Compilation> compile(const CompileRequest& request, std::string* log = nullptr) const;

  private:
    struct Library;
    explicit Compiler(std::shared_ptr<const Library> library) : library_(std::move(library)) {}

    std::shared_ptr<const Library> library_;
};

}  // namespace memside::compiler
