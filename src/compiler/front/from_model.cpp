#include "compiler/front/from_model.h"

#include <mlir/Dialect/Func/IR/FuncOps.h>

#include "compiler/decode/decode.h"

namespace memside::compiler {
namespace {

using decode::Axis;
using mlir::Type;
using mlir::Value;

class LayerBuilder {
  public:
    LayerBuilder(mlir::MLIRContext& context, const LayerDescription& layer)
        : layer_(layer), builder_(&context), element_(builder_.getBF16Type()) {}

    mlir::OwningOpRef<mlir::ModuleOp> build(KernelKind kernel) {
        mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(location("module"));
        builder_.setInsertionPointToEnd(module->getBody());
        switch (kernel) {
            case KernelKind::qk:
                begin("qk", {heads(layer_.heads), cache(decode::CacheKind::key)});
                end({scores(argument(0), argument(1))});
                break;
            case KernelKind::sv:
                begin("sv", {tokens(), cache(decode::CacheKind::value)});
                end({decode::create<decode::SvOp>(builder_, location("sv"), heads(layer_.heads),
                                                  argument(0), argument(1))});
                break;
            case KernelKind::attention: {
                // The new token's key and value are among what it attends to.
                begin("attention",
                      {heads(layer_.heads), heads(layer_.kv_heads), heads(layer_.kv_heads),
                       cache(decode::CacheKind::key), cache(decode::CacheKind::value)});
                const Value keys = append(argument(3), argument(1));
                const Value values = append(argument(4), argument(2));
                end({attention(argument(0), keys, values)});
                break;
            }
            case KernelKind::ffn:
                begin("ffn", {vector(layer_.hidden)});
                end({ffn(argument(0))});
                break;
            case KernelKind::layer:
                begin("layer", {vector(layer_.hidden), cache(decode::CacheKind::key),
                                cache(decode::CacheKind::value)});
                end(whole(argument(0), argument(1), argument(2)));
                break;
        }
        return module;
    }

  private:
    Type vector(std::int64_t size) const {
        return decode::named_tensor({size}, {Axis::channel}, element_);
    }
    static std::int64_t known(std::int64_t size) {
        return size == 0 ? mlir::ShapedType::kDynamic : size;
    }
    Type heads(std::int64_t count) const {
        return decode::named_tensor({known(count), known(layer_.head_dim)},
                                    {Axis::head, Axis::channel}, element_);
    }
    Type tokens() const {
        return decode::named_tensor({layer_.heads, mlir::ShapedType::kDynamic},
                                    {Axis::head, Axis::token}, element_);
    }
    Type cache(decode::CacheKind kind) const {
        return decode::CacheType::get(builder_.getContext(), known(layer_.kv_heads),
                                      known(layer_.head_dim), kind);
    }
    // What diagnostics name: "llama-3.1-8b layer 0 attn_q".
    mlir::Location location(const llvm::Twine& what) {
        return mlir::NameLoc::get(builder_.getStringAttr(llvm::Twine(layer_.model) + " layer " +
                                                         llvm::Twine(layer_.layer) + " " + what));
    }
    mlir::FloatAttr f32(double value) {
        return builder_.getF32FloatAttr(static_cast<float>(value));
    }

    void begin(llvm::StringRef name, llvm::ArrayRef<Type> arguments) {
        function_ = builder_.create<mlir::func::FuncOp>(location(name), name,
                                                        builder_.getFunctionType(arguments, {}));
        function_->setAttr("decode.model", builder_.getStringAttr(layer_.model));
        function_->setAttr("decode.layer", builder_.getI64IntegerAttr(layer_.layer));
        function_->setAttr("decode.layers", builder_.getI64IntegerAttr(layer_.layers));
        builder_.setInsertionPointToStart(function_.addEntryBlock());
    }
    void end(llvm::ArrayRef<Value> results) {
        builder_.create<mlir::func::ReturnOp>(location("result"), results);
        function_.setFunctionType(builder_.getFunctionType(function_.getArgumentTypes(),
                                                           mlir::ValueRange(results).getTypes()));
    }
    Value argument(unsigned index) { return function_.getArgument(index); }

    Value weight(const llvm::Twine& name, Type type) {
        return builder_.create<decode::WeightOp>(location(name), type, builder_.getStringAttr(name),
                                                 nullptr, nullptr, nullptr, nullptr, nullptr);
    }
    std::string named(llvm::StringRef part) const {
        return fmt::format("blk.{}.{}", layer_.layer, std::string_view(part));
    }

    Value linear(Value x, llvm::StringRef part, std::int64_t rows, Type result, bool bias) {
        const std::int64_t columns = decode::values_per_request(x.getType());
        const Value matrix =
            weight(named(part) + ".weight",
                   decode::named_tensor({rows, columns}, {Axis::row, Axis::column}, element_));
        const Value added = bias ? weight(named(part) + ".bias", vector(rows)) : Value();
        return decode::create<decode::LinearOp>(builder_, location(part), result, x, matrix, added);
    }
    Value norm(Value x, llvm::StringRef part) {
        const Value factors =
            weight(named(part) + ".weight", vector(*decode::extent(x.getType(), Axis::channel)));
        return decode::create<decode::RmsNormOp>(builder_, location(part), x.getType(), x, factors,
                                                 f32(layer_.norm_epsilon), mlir::UnitAttr());
    }
    Value rope(Value x) {
        const auto style =
            layer_.adjacent_pairs ? decode::RopeStyle::adjacent : decode::RopeStyle::neox;
        Value divisors;
        if (!layer_.rope_divisors.empty()) {
            divisors = weight("rope_freqs.weight",
                              decode::named_tensor({layer_.head_dim / 2}, {Axis::channel},
                                                   builder_.getF32Type()));
            divisors.getDefiningOp<decode::WeightOp>().setValues(layer_.rope_divisors);
        }
        return decode::create<decode::RopeOp>(
            builder_, location("rope"), x.getType(), x, divisors, f32(layer_.rope_base),
            decode::RopeStyleAttr::get(builder_.getContext(), style), f32(layer_.rope_scale));
    }
    Value add(Value a, Value b) {
        return decode::create<decode::AddOp>(builder_, location("residual"), a.getType(), a, b);
    }
    Value append(Value cache, Value x) {
        return decode::create<decode::AppendOp>(builder_, location("append"), cache.getType(),
                                                cache, x);
    }
    Value scores(Value query, Value keys) {
        return decode::create<decode::QkOp>(builder_, location("qk"), tokens(), query, keys);
    }
    Value attention(Value query, Value keys, Value values) {
        return decode::create<decode::AttentionOp>(
            builder_, location("attention"), query.getType(), query, keys, values, Value(),
            f32(layer_.attention_scale), builder_.getI64IntegerAttr(layer_.window),
            mlir::IntegerAttr());
    }

    Value ffn(Value x) {
        const Value gate = linear(x, "ffn_gate", layer_.ffn, vector(layer_.ffn), false);
        const Value up = linear(x, "ffn_up", layer_.ffn, vector(layer_.ffn), false);
        const auto function =
            layer_.gelu_gate ? decode::GateFunction::gelu_tanh : decode::GateFunction::silu;
        const Value gated = decode::create<decode::GateOp>(
            builder_, location("gate"), gate.getType(), gate, up,
            decode::GateFunctionAttr::get(builder_.getContext(), function));
        return linear(gated, "ffn_down", layer_.hidden, vector(layer_.hidden), false);
    }

    // Query, key or value: a projection to heads, normalised and rotated where the model does.
    Value projected(Value x, llvm::StringRef part, int count, bool rotated) {
        const std::int64_t rows = std::int64_t{count} * layer_.head_dim;
        Value result = linear(x, part, rows, heads(count), layer_.qkv_bias);
        if (!rotated) return result;
        if (layer_.qk_norm) result = norm(result, (part + "_norm").str());
        return rope(result);
    }

    llvm::SmallVector<Value, 3> whole(Value x, Value keys, Value values) {
        const Value input = norm(x, "attn_norm");
        const Value query = projected(input, "attn_q", layer_.heads, true);
        keys = append(keys, projected(input, "attn_k", layer_.kv_heads, true));
        values = append(values, projected(input, "attn_v", layer_.kv_heads, false));
        Value branch = linear(attention(query, keys, values), "attn_output", layer_.hidden,
                              vector(layer_.hidden), layer_.output_bias);
        if (layer_.post_norms) branch = norm(branch, "post_attention_norm");
        const Value between = add(x, branch);
        branch = ffn(norm(between, "ffn_norm"));
        if (layer_.post_norms) branch = norm(branch, "post_ffw_norm");
        return {add(between, branch), keys, values};
    }

    const LayerDescription& layer_;
    mlir::OpBuilder builder_;
    Type element_;
    mlir::func::FuncOp function_;
};

}  // namespace

mlir::OwningOpRef<mlir::ModuleOp> build_from_model(mlir::MLIRContext& context,
                                                   const LayerDescription& layer,
                                                   KernelKind kernel) {
    return LayerBuilder(context, layer).build(kernel);
}

}  // namespace memside::compiler
