// decode.attention and decode.append as instructions: rounds of heads, an entry each.
#include <fmt/format.h>

#include "compiler/passes/lowering.h"
#include "compiler/plan/attention_code.h"

namespace memside::compiler {
namespace {

std::uint32_t number(mlir::Operation* op, llvm::StringRef name, std::uint32_t otherwise) {
    const auto value = mlir::dyn_cast_or_null<mlir::IntegerAttr>(op->getDiscardableAttr(name));
    return value ? static_cast<std::uint32_t>(value.getInt()) : otherwise;
}

}  // namespace

mlir::LogicalResult lower(decode::AttentionOp op, Lowering& lowering) {
    AttentionOptions options = lowering.options();
    options.order = CommandOrder::score_by_score;
    options.block_tokens = number(op, block_name, 0);
    options.heads_at_once = number(op, heads_name, 0);
    const RegisterRange scratch = scratch_of(op);
    const auto rounds = plan_rounds(shape_of(op), options,
                                    {.zero = lowering.zero_gpr(),
                                     .query = first_register(op.getQuery()),
                                     .output = first_register(op.getResult()),
                                     .scratch = scratch.first,
                                     .scratch_tiles = scratch.tiles});
    if (!rounds) return op.emitOpError() << rounds.error().message();
    const auto keys = lowering.cache(op, op.getKeys(), options.heads_at_once);
    const auto values = lowering.cache(op, op.getValues(), options.heads_at_once);
    if (!keys || !values) return mlir::failure();
    for (std::size_t i = 0; i < rounds->size(); ++i) {
        const HeadRound& round = (*rounds)[i];
        PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op.getOperation()),
                                          fmt::format("attention from head {}", round.first_head));
        write_attention(round.plan,
                        {static_cast<std::uint32_t>(keys->first + i),
                         static_cast<std::uint32_t>(values->first + i)},
                        writer);
    }
    lowering.block_tokens(rounds->front().plan.block_tokens);
    return mlir::success();
}

mlir::LogicalResult lower(decode::AppendOp op, Lowering& lowering) {
    const decode::CacheType cache = op.getType();
    const auto kv_heads = static_cast<std::uint32_t>(cache.getKvHeads());
    AttentionOptions options = lowering.options();
    const bool hfp = options.partition == HeadPartition::hfp;
    options.heads_at_once =
        number(op, heads_name, std::min<std::uint32_t>(kv_heads, options.channels));
    const auto regions = lowering.cache(op, op.getCache(), options.heads_at_once);
    if (!regions) return mlir::failure();
    const bool keys = cache.getKind() == decode::CacheKind::key;
    const auto head_dim = static_cast<std::uint32_t>(cache.getHeadDim());
    const std::uint32_t tiles = pim::units(head_dim, pim::lanes);
    const std::uint32_t at_once = hfp ? options.heads_at_once : 1;
    const RegisterRange scratch = scratch_of(op);
    if (!keys && scratch.tiles < at_once * tiles * pim::lanes) {
        return op.emitOpError() << "needs " << at_once * tiles * pim::lanes
                                << " registers for a token's neighbours; " << scratch.tiles
                                << " are free";
    }
    PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op.getOperation()),
                                      keys ? "append key" : "append value");
    for (std::uint32_t head = 0; head < kv_heads; head += at_once) {
        AttentionPlan plan;
        plan.shape = {.kv_heads = std::min(at_once, kv_heads - head), .head_dim = head_dim};
        plan.registers.scratch = scratch.first;
        plan.keys = hfp ? pim::KvLayout::hfp(pim::KvKind::key, head_dim, options.channels,
                                             plan.shape.kv_heads)
                        : pim::KvLayout::tcp(pim::KvKind::key, head_dim, options.channels);
        write_append(plan, keys ? pim::KvKind::key : pim::KvKind::value,
                     static_cast<std::uint32_t>(regions->first + head / at_once),
                     first_register(op.getX()) + head * tiles, writer);
    }
    return mlir::success();
}

}  // namespace memside::compiler
