#include "compiler/pipeline.h"

#include <mlir/Pass/PassRegistry.h>

#include "base/text.h"

namespace memside::compiler {
namespace {

// Passes by name, as memside-opt takes them.
std::string pipeline_of(const CompileRequest& request) {
    std::vector<std::string> passes;
    if (!request.layer) passes.emplace_back("linalg-to-decode");
    if (request.target == DeviceTarget::pnm) passes.emplace_back("convert-decode-to-pnm");
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
    module.emitError(
        request.target == DeviceTarget::pnm
            ? "a program of the CXL-PNM device has the form mlir alone: give --emit mlir"
            : "is not lowered to instructions: give --emit mlir");
    return std::nullopt;
}

}  // namespace memside::compiler
