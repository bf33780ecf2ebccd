#include "compiler/pnm/emit_layers.h"

#include <llvm/ADT/TypeSwitch.h>
#include <mlir/IR/BuiltinTypes.h>

#include "base/text.h"
#include "compiler/pnm/pnm.h"
#include "kv/layout.h"
#include "pnm/layer_program.h"

namespace memside::compiler {
namespace {

using pnm::Symbol;

pnm::Operand name(Symbol symbol) {
    return {.bound = false, .symbol = symbol};
}

pnm::Operand number(double value) {
    return {.number = value};
}

// A size that is not known when a layer is compiled has its name.
pnm::Operand size(std::int64_t value, Symbol symbol) {
    if (mlir::ShapedType::isDynamic(value)) return name(symbol);
    return number(static_cast<double>(value));
}

// The operands of each kernel in the order of pnm::operand_names().
class LayerEmitter {
  public:
    explicit LayerEmitter(pnmir::ProgramOp program) : program_(program) {}

    std::optional<pnm::LayerProgram> emit() {
        for (mlir::Operation& op : program_.getBody().front()) {
            if (attention_) {
                op.emitOpError("follows the attention, which ends a layer of the CXL-PNM device");
                return std::nullopt;
            }
            add(&op);
        }
        if (attention_) return std::move(layer_);
        program_.emitOpError("has no attention: the CXL-PNM device has nothing to compute");
        return std::nullopt;
    }

    bool selects() { return attention_.getPages().has_value(); }

  private:
    void add(mlir::Operation* op) {
        llvm::TypeSwitch<mlir::Operation*>(op)
            .Case([&](pnmir::AppendOp append) { add_append(append); })
            .Case([&](pnmir::ScoreOp score) {
                call(pnm::Kernel::score,
                     {name(Symbol::pages), size(score.getQueryHeads(), Symbol::query_heads),
                      size(score.getKvHeads(), Symbol::kv_heads),
                      size(score.getHeadDim(), Symbol::head_dim),
                      size(score.getDigestBits(), Symbol::digest_bits)});
            })
            .Case([&](pnmir::TopKOp top) {
                call(pnm::Kernel::top_k,
                     {name(Symbol::scores), size(top.getK(), Symbol::selected)});
            })
            .Case([&](pnmir::AttentionOp attention) { add_attention(attention); });
    }

    void add_append(pnmir::AppendOp op) {
        std::vector<pnm::Operand> operands{
            name(Symbol::requests), size(op.getKvHeads(), Symbol::kv_heads),
            size(op.getHeadDim(), Symbol::head_dim), size(op.getKvBits(), Symbol::kv_bits)};
        if (const auto bits = op.getDigestBits()) {
            operands.push_back(number(kv::digest_vectors));
            operands.push_back(size(*bits, Symbol::digest_bits));
            operands.push_back(page_tokens());
        } else {
            operands.insert(operands.end(), 3, number(0));
        }
        call(pnm::Kernel::append, std::move(operands));
    }

    void add_attention(pnmir::AttentionOp op) {
        attention_ = op;
        call(pnm::Kernel::attention,
             {name(Symbol::requests), name(Symbol::attended_tokens),
              size(op.getQueryHeads(), Symbol::query_heads),
              size(op.getKvHeads(), Symbol::kv_heads), size(op.getHeadDim(), Symbol::head_dim),
              size(op.getKvBits(), Symbol::kv_bits), selects() ? page_tokens() : number(0)});
    }

    pnm::Operand page_tokens() { return size(program_.getPageTokens(), Symbol::page_tokens); }

    void call(pnm::Kernel kernel, std::vector<pnm::Operand> operands) {
        assert(operands.size() == pnm::operand_names(kernel).size());
        layer_.calls.push_back({kernel, std::move(operands)});
    }

    pnmir::ProgramOp program_;
    pnm::LayerProgram layer_;
    pnmir::AttentionOp attention_;
};

}  // namespace

std::optional<std::string> emit_layers(mlir::ModuleOp module) {
    pnm::LayerPrograms programs;
    std::string model;
    for (auto program : module.getOps<pnmir::ProgramOp>()) {
        LayerEmitter emitter(program);
        auto layer = emitter.emit();
        if (!layer) return std::nullopt;
        pnm::LayerProgram& place = emitter.selects() ? programs.selecting : programs.whole;
        if (!place.calls.empty()) {
            program.emitOpError() << "is a second layer that "
                                  << (emitter.selects() ? "selects pages" : "attends to all tokens")
                                  << "; a program has one of each kind";
            return std::nullopt;
        }
        place = std::move(*layer);
        if (model.empty()) model = program.getModel().str();
    }
    if (programs == pnm::LayerPrograms{}) {
        module.emitError("has no function: a program is made of one");
        return std::nullopt;
    }
    return pnm::layer_programs_text(
        programs, fmt::format("Compiled for the CXL-PNM device, model {}. Names are bound when a "
                              "step runs.",
                              in_quotes(model)));
}

}  // namespace memside::compiler
