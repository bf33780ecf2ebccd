// The C functions of libmemside-codegen.so: plan, emit, lower, translate, optimise, link.
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Target/TargetMachine.h>
#include <mlir/IR/Verifier.h>

#include <cstdlib>
#include <cstring>

#include "codegen/jit/conv_emitter.h"
#include "codegen/jit/pipeline.h"
#include "codegen/library_api.h"

namespace memside::codegen {
namespace {

constexpr const char* default_symbol = "memside_conv";

// A compilation as far as it is asked for.
class Compilation {
  public:
    // The MLIR of the request, verified.
    Status emit(const ConvRequest& request, const std::string& symbol) {
        MEMSIDE_TRY(plan_, conv::make_plan(request.problem, request.target, request.schedule));
        context_ = make_context();
        module_ = mlir::ModuleOp::create(mlir::UnknownLoc::get(context_.get()));
        ConvEmitter(*module_, plan_).emit(symbol);
        if (mlir::failed(mlir::verify(*module_))) {
            return Error{"MLIR", "the kernel is malformed", Error::Kind::environment};
        }
        return {};
    }

    Status lower() { return codegen::lower(*module_); }

    Status translate() {
        MEMSIDE_TRY(llvm_module_, codegen::translate(*module_, llvm_context_));
        MEMSIDE_TRY(machine_, make_target_machine(plan_.target));
        optimise(*llvm_module_, plan_.target, *machine_);
        return {};
    }

    Result<std::unique_ptr<llvm::MemoryBuffer>> object() {
        return emit_object(*llvm_module_, *machine_);
    }
    Result<std::string> assembly() { return emit_assembly(*llvm_module_, *machine_); }

    std::string mlir_text() {
        std::string text;
        llvm::raw_string_ostream stream(text);
        module_->print(stream);
        return text;
    }
    std::string llvm_text() {
        std::string text;
        llvm::raw_string_ostream stream(text);
        llvm_module_->print(stream, nullptr);
        return text;
    }

  private:
    conv::ConvPlan plan_{};
    std::unique_ptr<mlir::MLIRContext> context_;
    mlir::OwningOpRef<mlir::ModuleOp> module_;
    llvm::LLVMContext llvm_context_;
    std::unique_ptr<llvm::Module> llvm_module_;
    std::unique_ptr<llvm::TargetMachine> machine_;
};

Result<std::unique_ptr<llvm::MemoryBuffer>> object_of(const ConvRequest& request,
                                                      const std::string& symbol) {
    Compilation compilation;
    MEMSIDE_CHECK(compilation.emit(request, symbol));
    MEMSIDE_CHECK(compilation.lower());
    MEMSIDE_CHECK(compilation.translate());
    return compilation.object();
}

Result<std::string> text_of(const ConvRequest& request, Dump stage) {
    Compilation compilation;
    MEMSIDE_CHECK(compilation.emit(request, default_symbol));
    if (stage == Dump::mlir) return compilation.mlir_text();
    MEMSIDE_CHECK(compilation.lower());
    if (stage == Dump::lowered) return compilation.mlir_text();
    MEMSIDE_CHECK(compilation.translate());
    if (stage == Dump::llvm) return compilation.llvm_text();
    return compilation.assembly();
}

// A linked kernel: the JIT owns its memory.
struct Kernel {
    std::unique_ptr<llvm::orc::LLJIT> jit;
    ConvKernel function;
};

Result<std::unique_ptr<Kernel>> link(std::unique_ptr<llvm::MemoryBuffer> object) {
    const auto failure = [](llvm::Error error) {
        return Error{"linking", llvm::toString(std::move(error)), Error::Kind::environment};
    };
    // Without a platform and without the process's symbols: a kernel calls nothing and has no
    // constructors.
    auto jit = llvm::orc::LLJITBuilder()
                   .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                   .setLinkProcessSymbolsByDefault(false)
                   .create();
    if (!jit) return failure(jit.takeError());
    if (auto error = (*jit)->addObjectFile(std::move(object))) return failure(std::move(error));
    auto address = (*jit)->lookup(default_symbol);
    if (!address) return failure(address.takeError());
    auto kernel = std::make_unique<Kernel>();
    kernel->function = address->toPtr<ConvKernel>();
    kernel->jit = std::move(*jit);
    return kernel;
}

// Memory for the other side of the border, ended by a zero.
char* copy_out(const char* bytes, std::size_t size) {
    char* memory = static_cast<char*>(std::malloc(size + 1));
    if (memory == nullptr) return nullptr;
    std::memcpy(memory, bytes, size);
    memory[size] = 0;
    return memory;
}
char* copy_out(const std::string& text) {
    return copy_out(text.data(), text.size());
}

}  // namespace

extern "C" {

std::uint64_t memside_codegen_interface() {
    return interface_id;
}

void memside_codegen_free(void* memory) {
    std::free(memory);
}

void* memside_conv_compile(const ConvRequest* request, ConvKernel* function, char** error) {
    auto object = object_of(*request, default_symbol);
    if (!object.ok()) {
        *error = copy_out(object.error().message());
        return nullptr;
    }
    auto kernel = link(std::move(object).value());
    if (!kernel.ok()) {
        *error = copy_out(kernel.error().message());
        return nullptr;
    }
    *function = kernel.value()->function;
    return std::move(kernel).value().release();
}

void memside_conv_release(void* handle) {
    delete static_cast<Kernel*>(handle);
}

unsigned char* memside_conv_object(const ConvRequest* request, const char* symbol,
                                   std::size_t* size, char** error) {
    auto object = object_of(*request, symbol);
    if (!object.ok()) {
        *error = copy_out(object.error().message());
        return nullptr;
    }
    *size = object.value()->getBufferSize();
    return reinterpret_cast<unsigned char*>(copy_out(object.value()->getBufferStart(), *size));
}

char* memside_conv_text(const ConvRequest* request, std::int32_t stage, char** error) {
    auto text = text_of(*request, static_cast<Dump>(stage));
    if (!text.ok()) {
        *error = copy_out(text.error().message());
        return nullptr;
    }
    return copy_out(text.value());
}

}  // extern "C"

}  // namespace memside::codegen
