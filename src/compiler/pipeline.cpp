#include "compiler/pipeline.h"

#include <mlir/Pass/PassRegistry.h>

#include "base/text.h"
#include "compiler/encode/encode.h"
#include "compiler/pim/pim.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/dynamic/dynamic_text.h"

namespace memside::compiler {
namespace {

// Passes by name, as memside-opt takes them.
std::string pipeline_of(const CompileRequest& request) {
    std::vector<std::string> passes;
    if (!request.layer) passes.emplace_back("linalg-to-decode");
    if (request.target == DeviceTarget::pnm) {
        passes.emplace_back("convert-decode-to-pnm");
        return join(passes, ",");
    }
    passes.push_back(
        fmt::format("func.func(decode-partition{{heads={} tensor={} pipeline={}}},"
                    "decode-tile{{channels={} row-reuse={}}})",
                    request.tokens_split ? "tcp" : "hfp", request.tensor, request.pipeline,
                    request.channels, request.row_reuse ? "true" : "false"));
    passes.emplace_back("convert-decode-to-pim");
    std::string program =
        fmt::format("pim-assign-addresses{{access={} max-context={}}},pim-order-commands",
                    request.dynamic_access ? "dpa" : "static", request.context);
    if (!request.dynamic_access) {
        program += fmt::format(",pim-unroll-static{{context={}}}", request.context);
    }
    passes.push_back("pim.program(" + program + ")");
    return join(passes, ",");
}

}  // namespace

mlir::LogicalResult add_passes(const CompileRequest& request, mlir::PassManager& manager) {
    std::string text;
    llvm::raw_string_ostream errors(text);
    const std::string passes = pipeline_of(request);
    if (passes.empty()) return mlir::success();
    if (mlir::succeeded(mlir::parsePassPipeline(passes, manager, errors))) {
        return mlir::success();
    }
    return mlir::emitError(mlir::UnknownLoc::get(manager.getContext())) << text;
}

std::optional<std::string> emit_program(const CompileRequest& request, mlir::ModuleOp module) {
    if (request.target == DeviceTarget::pnm) {
        module.emitError(
            "a program of the CXL-PNM device has the form mlir alone: give --emit mlir");
        return std::nullopt;
    }
    const auto programs = module.getOps<pimir::ProgramOp>();
    if (programs.empty() || std::next(programs.begin()) != programs.end()) {
        module.emitError("has no function, or several: a program is made of one");
        return std::nullopt;
    }
    const std::optional<pim::DynamicProgram> program = encode(*programs.begin());
    if (!program) return std::nullopt;
    return request.emit == Emit::binary ? pim::to_binary(*program) : pim::to_text(*program);
}

}  // namespace memside::compiler
