#include "compiler/compile_text.h"

#include <mlir/IR/MLIRContext.h>
#include <mlir/Parser/Parser.h>
#include <mlir/Pass/PassManager.h>

#include "compiler/encode/encode.h"
#include "compiler/passes/passes.h"
#include "compiler/register.h"

namespace memside::compiler {
namespace {

mlir::LogicalResult run_passes(mlir::ModuleOp module, const CompileOptions& options) {
    mlir::PassManager manager(module.getContext());
    DecodePartitionOptions partition;
    partition.heads = options.heads;
    partition.tensor = options.tensor;
    partition.pipeline = options.pipeline;
    manager.addNestedPass<mlir::func::FuncOp>(createDecodePartition(partition));
    DecodeTileOptions tile;
    tile.channels = options.channels;
    tile.row_reuse = options.row_reuse;
    tile.accumulators = options.accumulators;
    manager.addNestedPass<mlir::func::FuncOp>(createDecodeTile(tile));
    manager.addPass(createConvertDecodeToPim());
    manager.addNestedPass<pimir::ProgramOp>(createPimAssignAddresses(
        {.access = options.is_static ? "static" : "dpa", .max_context = options.max_context}));
    if (options.order) manager.addNestedPass<pimir::ProgramOp>(createPimOrderCommands());
    if (options.unroll) {
        manager.addNestedPass<pimir::ProgramOp>(
            createPimUnrollStatic({.context = options.max_context}));
    }
    return manager.run(module);
}

std::optional<CompiledProgram> compile(const std::string& text, const CompileOptions& options,
                                       std::string& diagnostics) {
    mlir::DialectRegistry registry;
    register_dialects(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    const mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic& diagnostic) {
        diagnostics += diagnostic.str() + "\n";
        return mlir::success();
    });
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module || failed(run_passes(*module, options))) return std::nullopt;
    const auto programs = module->getOps<pimir::ProgramOp>();
    if (programs.empty()) return std::nullopt;
    pimir::ProgramOp program = *programs.begin();
    auto encoded = encode(program);
    if (!encoded) return std::nullopt;
    CompiledProgram made{std::move(*encoded), {}};
    for (const mlir::NamedAttribute& entry :
         program->getAttrOfType<mlir::DictionaryAttr>("pim.registers")) {
        made.registers[entry.getName().str()] =
            static_cast<std::uint32_t>(mlir::cast<mlir::DenseI64ArrayAttr>(entry.getValue())[0]);
    }
    return made;
}

}  // namespace

std::optional<CompiledProgram> compile_text(const std::string& text,
                                            const CompileOptions& options) {
    std::string diagnostics;
    auto made = compile(text, options, diagnostics);
    EXPECT_TRUE(made.has_value()) << diagnostics;
    return made;
}

std::string diagnostics_of(const std::string& text, const CompileOptions& options) {
    std::string diagnostics;
    EXPECT_FALSE(compile(text, options, diagnostics).has_value());
    return diagnostics;
}

}  // namespace memside::compiler
