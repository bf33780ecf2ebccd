// MLIR's own passes, to the LLVM dialect and then to LLVM's IR.
#include <mlir/Conversion/ArithToLLVM/ArithToLLVM.h>
#include <mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h>
#include <mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h>
#include <mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h>
#include <mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h>
#include <mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h>
#include <mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h>
#include <mlir/Pass/Pass.h>
#include <mlir/Pass/PassManager.h>
#include <mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Export.h>

#include "codegen/jit/emitter.h"
#include "codegen/jit/pipeline.h"

namespace memside::codegen {
namespace {

// What MLIR says about a module, collected instead of printed.
class Messages {
  public:
    explicit Messages(mlir::MLIRContext* context)
        : handler_(context, [this](mlir::Diagnostic& diagnostic) {
              if (!text_.empty()) text_ += "; ";
              text_ += diagnostic.str();
          }) {}

    Error error(const std::string& where) const {
        return {where, text_.empty() ? "failed" : text_, Error::Kind::environment};
    }

  private:
    std::string text_;
    mlir::ScopedDiagnosticHandler handler_;
};

}  // namespace

std::unique_ptr<mlir::MLIRContext> make_context() {
    auto context = std::make_unique<mlir::MLIRContext>(mlir::MLIRContext::Threading::DISABLED);
    mlir::DialectRegistry registry;
    registry
        .insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                mlir::memref::MemRefDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    context->appendDialectRegistry(registry);
    context->loadAllAvailableDialects();
    return context;
}

Status lower(mlir::ModuleOp module) {
    const Messages messages(module.getContext());
    mlir::PassManager passes(module.getContext());
    // What was built has been verified; verifying after every pass takes a third of the time.
    passes.enableVerifier(false);
    passes.addPass(mlir::createConvertSCFToCFPass());
    passes.addPass(mlir::createConvertVectorToLLVMPass());
    passes.addPass(mlir::createFinalizeMemRefToLLVMConversionPass());
    passes.addPass(mlir::createArithToLLVMConversionPass());
    mlir::ConvertFuncToLLVMPassOptions options;
    options.useBarePtrCallConv = true;
    passes.addPass(mlir::createConvertFuncToLLVMPass(options));
    passes.addPass(mlir::createConvertControlFlowToLLVMPass());
    passes.addPass(mlir::createReconcileUnrealizedCastsPass());
    if (mlir::failed(passes.run(module))) return messages.error("lowering to the LLVM dialect");
    return {};
}

Result<std::unique_ptr<llvm::Module>> translate(mlir::ModuleOp module, llvm::LLVMContext& context) {
    const Messages messages(module.getContext());
    auto result = mlir::translateModuleToLLVMIR(module, context);
    if (result == nullptr) return messages.error("translation to LLVM IR");
    return result;
}

}  // namespace memside::codegen
