#include "compiler/pipeline.h"

#include <mlir/Pass/PassRegistry.h>

#include "base/text.h"
#include "compiler/encode/encode.h"
#include "compiler/pim/pim.h"
#include "compiler/pnm/emit_layers.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/dynamic/dynamic_text.h"

namespace memside::compiler {
namespace {

// Passes by name, as memside-opt takes them.
std::string pipeline_of(const CompileRequest& request) {
    std::vector<std::string> passes;
    if (!request.layer) passes.emplace_back("linalg-to-decode");
    if (request.target == DeviceTarget::pnm) {
        const auto given = [](std::string_view option, std::optional<std::uint64_t> value) {
            return value ? fmt::format("{}={} ", option, *value) : std::string();
        };
        const std::string page = given("page-tokens", request.page_tokens);
        passes.push_back(
            fmt::format("func.func(decode-fuse-attention),decode-select-pages{{{}{}}},convert-"
                        "decode-to-pnm{{{}kv-bits={} digest-bits={}}}",
                        page, given("pages", request.selected_pages), page, request.kv_bits,
                        request.digest_bits));
        return join(passes, ",");
    }
    passes.push_back(
        fmt::format("func.func(decode-partition{{heads={} tensor={} pipeline={}}},"
                    "decode-tile{{channels={} row-reuse={} accumulators={}}})",
                    request.tokens_split ? "tcp" : "hfp", request.tensor, request.pipeline,
                    request.channels, request.row_reuse ? "true" : "false", request.accumulators));
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
        return emit_layers(module);
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
