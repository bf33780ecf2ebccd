#include "compiler/passes/tiling.h"

namespace memside::compiler {

using mlir::Builder;

mlir::Attribute range_attribute(mlir::MLIRContext* context, const RegisterRange& range) {
    return Builder(context).getDenseI64ArrayAttr({range.first, range.tiles});
}

std::optional<RegisterRange> range_of(mlir::Attribute attribute) {
    const auto pair = mlir::dyn_cast_or_null<mlir::DenseI64ArrayAttr>(attribute);
    if (!pair || pair.size() != 2) return std::nullopt;
    return RegisterRange{static_cast<std::uint32_t>(pair[0]), static_cast<std::uint32_t>(pair[1])};
}

std::optional<RegisterRange> registers_of(mlir::Value value) {
    if (const auto argument = mlir::dyn_cast<mlir::BlockArgument>(value)) {
        auto function = mlir::dyn_cast<mlir::func::FuncOp>(argument.getOwner()->getParentOp());
        if (!function) return std::nullopt;
        return range_of(function.getArgAttr(argument.getArgNumber(), registers_name));
    }
    return range_of(value.getDefiningOp()->getDiscardableAttr(registers_name));
}

mlir::Attribute target_attribute(mlir::MLIRContext* context, const AttentionOptions& options) {
    Builder b(context);
    return b.getDictionaryAttr(
        {b.getNamedAttr("channels", b.getI64IntegerAttr(options.channels)),
         b.getNamedAttr("hfp", b.getBoolAttr(options.partition == HeadPartition::hfp)),
         b.getNamedAttr("row_reuse", b.getBoolAttr(options.row_reuse)),
         b.getNamedAttr("accumulators", b.getI64IntegerAttr(options.accumulators))});
}

std::optional<AttentionOptions> target_of(mlir::func::FuncOp function) {
    const auto target = function->getAttrOfType<mlir::DictionaryAttr>(target_name);
    if (!target) {
        function.emitError("has no registers yet: run decode-tile before");
        return std::nullopt;
    }
    const auto number = [&](llvm::StringRef name) {
        return static_cast<std::uint32_t>(target.getAs<mlir::IntegerAttr>(name).getInt());
    };
    const auto flag = [&](llvm::StringRef name) {
        return target.getAs<mlir::BoolAttr>(name).getValue();
    };
    AttentionOptions options;
    options.channels = number("channels");
    options.partition = flag("hfp") ? HeadPartition::hfp : HeadPartition::tcp;
    options.row_reuse = flag("row_reuse");
    options.accumulators = number("accumulators");
    return options;
}

std::uint32_t sharers_of(mlir::Operation* op) {
    const auto count = mlir::dyn_cast_or_null<mlir::IntegerAttr>(op->getAttr(sharers_name));
    return count ? static_cast<std::uint32_t>(count.getInt()) : 1;
}

AttentionShape shape_of(decode::CacheType cache, mlir::Type heads) {
    const std::int64_t count = decode::extent(heads, decode::Axis::head).value_or(0);
    return {.kv_heads = static_cast<std::uint32_t>(cache.getKvHeads()),
            .group = static_cast<std::uint32_t>(count / cache.getKvHeads()),
            .head_dim = static_cast<std::uint32_t>(cache.getHeadDim())};
}

AttentionShape shape_of(decode::AttentionOp op) {
    AttentionShape shape = shape_of(op.getKeys().getType(), op.getQuery().getType());
    shape.group *= sharers_of(op);
    shape.window = static_cast<std::uint32_t>(op.getWindow());
    shape.scale = op.getScale().convertToFloat();
    return shape;
}

std::optional<mlir::BlockArgument> origin(mlir::Operation* user, mlir::Value cache) {
    while (auto append = cache.getDefiningOp<decode::AppendOp>()) cache = append.getCache();
    if (const auto argument = mlir::dyn_cast<mlir::BlockArgument>(cache)) return argument;
    user->emitOpError("uses a cache that is no argument of the function");
    return std::nullopt;
}

}  // namespace memside::compiler
