// LLVM: a short list of passes, and the X86 code generator.
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopRotation.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <mutex>

#include "codegen/jit/pipeline.h"

namespace memside::codegen {
namespace {

constexpr const char* triple = "x86_64-unknown-linux-gnu";

// `tuning` names the model of latencies that orders instructions. That of x86-64-v4 itself is an
// older processor's, under which loops that just fit into the registers spill.
struct Processor {
    const char* cpu;
    const char* features;
    const char* tuning;
};
Processor processor(conv::Target target) {
    if (target == conv::Target::x86_avx2) return {"x86-64-v3", "", "znver3"};
    return {"x86-64-v4", "+avx512vnni", "znver4"};
}

Error failure(const std::string& what) {
    return {"LLVM", what, Error::Kind::environment};
}

// The code generator's output of one kind.
Result<llvm::SmallVector<char, 0>> emit(llvm::Module& module, llvm::TargetMachine& machine,
                                        llvm::CodeGenFileType kind) {
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    if (machine.addPassesToEmitFile(passes, stream, nullptr, kind)) {
        return failure("the target cannot write this kind of file");
    }
    passes.run(module);
    return bytes;
}

}  // namespace

Result<std::unique_ptr<llvm::TargetMachine>> make_target_machine(conv::Target target) {
    static std::once_flag once;
    std::call_once(once, [] {
        LLVMInitializeX86TargetInfo();
        LLVMInitializeX86Target();
        LLVMInitializeX86TargetMC();
        LLVMInitializeX86AsmPrinter();
        // It adds products to each other before it adds them to their sum, for which AVX2 has no
        // registers left.
        const auto& options = llvm::cl::getRegisteredOptions();
        if (const auto found = options.find("x86-machine-combiner"); found != options.end()) {
            static_cast<llvm::cl::opt<bool>*>(found->second)->setValue(false);
        }
    });
    std::string error;
    const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, error);
    if (found == nullptr) return failure(error);
    const Processor chosen = processor(target);
    std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(
        triple, chosen.cpu, chosen.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
        llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
    if (machine == nullptr) return failure("has no X86 code generator");
    return machine;
}

void optimise(llvm::Module& module, conv::Target target, llvm::TargetMachine& machine) {
    module.setTargetTriple(triple);
    module.setDataLayout(machine.createDataLayout());
    for (llvm::Function& function : module) {
        if (function.isDeclaration()) continue;
        function.addFnAttr("target-cpu", machine.getTargetCPU());
        function.addFnAttr("target-features", machine.getTargetFeatureString());
        function.addFnAttr("tune-cpu", processor(target).tuning);
        function.addFnAttr("prefer-vector-width", "512");
        function.addFnAttr(llvm::Attribute::NoUnwind);
    }

    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(&machine);
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);

    // The schedule has unrolled and tiled already. What is missing is tidying. Nothing may turn a
    // copy into a call of the C library; and nothing may hoist loads out of loops: tables that stay
    // in registers through the inner loop push sums out of them.
    llvm::FunctionPassManager passes;
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    passes.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LoopRotatePass()));
    passes.addPass(llvm::EarlyCSEPass(true));
    llvm::ModulePassManager all;
    all.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
    all.run(module, modules);
}

Result<std::unique_ptr<llvm::MemoryBuffer>> emit_object(llvm::Module& module,
                                                        llvm::TargetMachine& machine) {
    MEMSIDE_TRY(auto bytes, emit(module, machine, llvm::CodeGenFileType::ObjectFile));
    return std::unique_ptr<llvm::MemoryBuffer>(
        std::make_unique<llvm::SmallVectorMemoryBuffer>(std::move(bytes), "kernel", false));
}

Result<std::string> emit_assembly(llvm::Module& module, llvm::TargetMachine& machine) {
    MEMSIDE_TRY(auto bytes, emit(module, machine, llvm::CodeGenFileType::AssemblyFile));
    return std::string(bytes.begin(), bytes.end());
}

}  // namespace memside::codegen
