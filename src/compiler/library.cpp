// libmemside-compiler.so: a request through the front and the passes to what is to be emitted.
#include <fmt/format.h>
#include <llvm/Support/raw_ostream.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/Diagnostics.h>
#include <mlir/IR/Location.h>
#include <mlir/IR/Verifier.h>
#include <mlir/Parser/Parser.h>
#include <mlir/Pass/PassManager.h>
#include <mlir/Pass/PassRegistry.h>

#include "compiler/front/from_model.h"
#include "compiler/library_api.h"
#include "compiler/pass_log.h"
#include "compiler/pipeline.h"
#include "compiler/register.h"

namespace memside::compiler {
namespace {

std::string place_of(mlir::Location location) {
    if (const auto file = mlir::dyn_cast<mlir::FileLineColLoc>(location)) {
        return fmt::format("{}:{}:{}", std::string_view(file.getFilename().getValue()),
                           file.getLine(), file.getColumn());
    }
    if (const auto name = mlir::dyn_cast<mlir::NameLoc>(location)) return name.getName().str();
    if (const auto fused = mlir::dyn_cast<mlir::FusedLoc>(location)) {
        if (!fused.getLocations().empty()) return place_of(fused.getLocations().front());
    }
    if (const auto call = mlir::dyn_cast<mlir::CallSiteLoc>(location)) {
        return place_of(call.getCallee());
    }
    return "compiler";
}

// Keeps the first error and its notes, and counts the others; warnings go to the log.
class Errors {
  public:
    Errors(mlir::MLIRContext& context, std::string& log)
        : handler_(&context, [this, &log](mlir::Diagnostic& diagnostic) {
              if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error) {
                  add(diagnostic);
              } else {
                  log +=
                      fmt::format("{}: {}\n", place_of(diagnostic.getLocation()), diagnostic.str());
              }
          }) {}

    Error take() const {
        if (!first_) return bad_input("compiler", "failed without saying why");
        if (count_ == 1) return *first_;
        return bad_input(first_->where,
                         fmt::format("{}; and {} more errors", first_->what, count_ - 1));
    }

  private:
    void add(mlir::Diagnostic& diagnostic) {
        ++count_;
        if (first_) return;
        std::string what = diagnostic.str();
        for (mlir::Diagnostic& note : diagnostic.getNotes()) {
            what += fmt::format("; {}", note.str());
        }
        first_ = bad_input(place_of(diagnostic.getLocation()), what);
    }

    mlir::ScopedDiagnosticHandler handler_;
    std::optional<Error> first_;
    std::size_t count_ = 0;
};

std::string text_of(mlir::ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream);
    stream << "\n";
    return text;
}

std::optional<Error> compile(const CompileRequest& request, Compilation& made) {
    // One thread: a layer compiles in milliseconds.
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    mlir::DialectRegistry registry;
    register_dialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false);
    const Errors errors(context, made.log);

    mlir::OwningOpRef<mlir::ModuleOp> module =
        request.layer
            ? build_from_model(context, *request.layer, request.kernel)
            : mlir::parseSourceString<mlir::ModuleOp>(request.input, &context, request.input_name);
    if (!module || mlir::failed(mlir::verify(*module))) return errors.take();

    mlir::PassManager manager(&context);
    PassLog log(request.print_after, request.pass_statistics, made.log);
    if (log.wanted_front()) log.print("front", *module);
    if (mlir::failed(add_passes(request, manager))) return errors.take();
    manager.addInstrumentation(log.instrumentation());
    if (mlir::failed(manager.run(*module))) return errors.take();
    if (auto error = log.finish()) return error;

    if (request.emit == Emit::mlir) {
        made.output = text_of(*module);
        return std::nullopt;
    }
    auto emitted = emit_program(request, *module);
    if (!emitted) return errors.take();
    made.output = std::move(*emitted);
    return std::nullopt;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) std::uint64_t memside_compiler_interface() {
    return interface_id;
}

__attribute__((visibility("default"))) void memside_compile(const CompileRequest* request,
                                                            CompileAnswer* answer) {
    static const bool registered = [] {
        register_passes();
        return true;
    }();
    static_cast<void>(registered);
    answer->error = compile(*request, answer->made);
}
}

}  // namespace memside::compiler
