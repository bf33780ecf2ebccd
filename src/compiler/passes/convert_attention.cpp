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
    AttentionRegisters registers{.zero = lowering.zero_gpr(),
                                 .query = first_register(op.getQuery()),
                                 .output = first_register(op.getResult()),
                                 .scratch = scratch.first,
                                 .scratch_tiles = scratch.tiles};
    const auto exchange = plan_exchange(shape_of(op), sharers_of(op), registers);
    if (!exchange) return op.emitOpError() << exchange.error().message();
    const auto rounds = plan_rounds(shape_of(op), options, registers);
    if (!rounds) return op.emitOpError() << rounds.error().message();
    auto step = mlir::cast<decode::StepOp>(op.getOperation());
    const bool shares = exchange->modules > 1;
    if (shares) {
        lowering.share_tokens(exchange->modules, rounds->front().plan.keys.granule());
        lowering.communicate("gather queries", decode::Communication::all_gather, op.getLoc());
        lowering.exchange(first_register(op.getQuery()), exchange->query_tiles, exchange->gathered,
                          exchange->modules);
    }
    const auto keys = lowering.cache(op, op.getKeys(), options.heads_at_once);
    const auto values = lowering.cache(op, op.getValues(), options.heads_at_once);
    if (!keys || !values) return mlir::failure();
    for (std::size_t i = 0; i < rounds->size(); ++i) {
        const HeadRound& round = (*rounds)[i];
        PimWriter writer =
            lowering.entry(step, fmt::format("attention from head {}", round.first_head));
        write_attention(round.plan,
                        {static_cast<std::uint32_t>(keys->first + i),
                         static_cast<std::uint32_t>(values->first + i)},
                        writer);
    }
    lowering.block_tokens(rounds->front().plan.block_tokens);
    if (!shares) return mlir::success();
    lowering.exchange(exchange->outputs, exchange->output_tiles, exchange->received,
                      exchange->modules);
    PimWriter writer = lowering.entry(step, "combine");
    write_combine(*exchange, rounds->front().plan, first_register(op.getResult()), writer);
    lowering.alone();
    return mlir::success();
}

// Rounds of heads for one of QK^T and SV, with the layout of the scores of each.
struct Kernel {
    std::vector<HeadRound> rounds;
    std::vector<ScoreLayout> layouts;
};

template <typename PlanOf>
Result<Kernel> plan_kernel(const AttentionShape& shape, const AttentionOptions& options,
                           const AttentionRegisters& registers, const PlanOf& plan_of) {
    Kernel made;
    MEMSIDE_TRY(made.rounds, plan_rounds(shape, options, registers));
    for (HeadRound& round : made.rounds) {
        MEMSIDE_TRY(const ScoreLayout layout, score_layout(round.plan));
        MEMSIDE_TRY(round.plan, plan_of(round.plan, layout));
        made.layouts.push_back(layout);
    }
    return made;
}

mlir::LogicalResult lower(decode::QkOp op, Lowering& lowering) {
    AttentionOptions options = lowering.options();
    options.order = CommandOrder::score_by_score;
    options.heads_at_once = number(op, heads_name, 0);
    const RegisterRange scratch = scratch_of(op);
    const auto kernel =
        plan_kernel(shape_of(op.getKeys().getType(), op.getQuery().getType()), options,
                    {.zero = lowering.zero_gpr(),
                     .query = first_register(op.getQuery()),
                     .scratch = scratch.first,
                     .scratch_tiles = scratch.tiles},
                    plan_scores);
    if (!kernel) return op.emitOpError() << kernel.error().message();
    const auto keys = lowering.cache(op, op.getKeys(), options.heads_at_once);
    if (!keys) return mlir::failure();
    const std::size_t scores = lowering.scores("scores", kernel->rounds, kernel->layouts);
    for (std::size_t i = 0; i < kernel->rounds.size(); ++i) {
        const HeadRound& round = kernel->rounds[i];
        PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op.getOperation()),
                                          fmt::format("qk from head {}", round.first_head));
        write_qk(round.plan, kernel->layouts[i], static_cast<std::uint32_t>(keys->first + i),
                 static_cast<std::uint32_t>(scores + i), writer);
    }
    lowering.block_tokens(kernel->rounds.front().plan.block_tokens);
    return mlir::success();
}

mlir::LogicalResult lower(decode::SvOp op, Lowering& lowering) {
    AttentionOptions options = lowering.options();
    options.heads_at_once = number(op, heads_name, 0);
    const RegisterRange scratch = scratch_of(op);
    const auto kernel = plan_kernel(shape_of(op.getValues().getType(), op.getType()), options,
                                    {.zero = lowering.zero_gpr(),
                                     .output = first_register(op.getResult()),
                                     .scratch = scratch.first,
                                     .scratch_tiles = scratch.tiles},
                                    plan_sums);
    if (!kernel) return op.emitOpError() << kernel.error().message();
    const auto values = lowering.cache(op, op.getValues(), options.heads_at_once);
    if (!values) return mlir::failure();
    const std::size_t weights = lowering.scores("weights", kernel->rounds, kernel->layouts);
    for (std::size_t i = 0; i < kernel->rounds.size(); ++i) {
        const HeadRound& round = kernel->rounds[i];
        PimWriter writer = lowering.entry(mlir::cast<decode::StepOp>(op.getOperation()),
                                          fmt::format("sv from head {}", round.first_head));
        write_sv(round.plan, kernel->layouts[i], static_cast<std::uint32_t>(weights + i),
                 static_cast<std::uint32_t>(values->first + i), writer);
    }
    lowering.block_tokens(kernel->rounds.front().plan.block_tokens);
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
