#include "compiler/plan/attention_plan.h"

#include <bit>
#include <numeric>

namespace memside::compiler {
namespace {

using pim::KvKind;
using pim::KvLayout;

constexpr std::string_view here = "attention";

Status check(const AttentionShape& shape, const AttentionOptions& options) {
    MEMSIDE_CHECK(pim::check_size("the number of KV heads", shape.kv_heads, 1U << 16));
    MEMSIDE_CHECK(
        pim::check_size("the number of query heads of a KV head", shape.group, pim::hub_queries));
    MEMSIDE_CHECK(pim::check_size("the head dimension", shape.head_dim,
                                  std::uint64_t{pim::columns_per_row} * pim::lanes));
    MEMSIDE_CHECK(pim::check_size("the number of channels", options.channels, pim::channel_count));
    MEMSIDE_CHECK(
        pim::check_size("the number of accumulators", options.accumulators, pim::out_entries));
    MEMSIDE_CHECK(
        pim::check_size("the tiles of a transfer", options.transfer_tiles, pim::gbuf_entries));
    if (pim::columns_per_row % options.transfer_tiles != 0) {
        return bad_input(std::string(here),
                         fmt::format("transfers of {} tiles; allowed: a divisor of {}",
                                     options.transfer_tiles, pim::columns_per_row));
    }
    return {};
}

KvLayout layout(KvKind kind, const AttentionShape& shape, std::uint32_t heads,
                const AttentionOptions& options) {
    return options.partition == HeadPartition::tcp
               ? KvLayout::tcp(kind, shape.head_dim, options.channels)
               : KvLayout::hfp(kind, shape.head_dim, options.channels, heads);
}

void choose_batches(AttentionPlan& plan) {
    const std::uint32_t accumulators = plan.options.accumulators;
    const std::uint32_t group = plan.shape.group;
    if (plan.options.row_reuse) {
        plan.query_batch = std::min({group, pim::gbuf_entries / plan.tiles(), accumulators});
    }
    plan.slot_batch =
        std::clamp(accumulators / plan.query_batch, std::uint32_t{1}, plan.keys.slots());
    // Equal parts of a row: a shorter last one would be a loop whose end verifiers cannot see.
    while (plan.keys.slots() % plan.slot_batch != 0) --plan.slot_batch;
    plan.pass_batch = std::min(plan.values.passes(), accumulators);
    if (plan.options.row_reuse) {
        plan.sum_batch = std::clamp(accumulators / plan.pass_batch, std::uint32_t{1}, group);
    }
}

// As many whole units as the scratch holds, or what the option says.
Result<std::uint32_t> choose_block(const AttentionPlan& plan) {
    const std::uint64_t unit = block_unit(plan.keys, plan.values);
    const std::uint32_t asked = plan.options.block_tokens;
    if (asked % unit != 0) {
        return bad_input(std::string(here),
                         fmt::format("blocks of {} tokens; allowed: multiples of {}", asked, unit));
    }
    std::uint64_t block = asked != 0 ? asked : unit;
    if (scratch_tiles(plan, block) > plan.registers.scratch_tiles) {
        return bad_input(
            std::string(here),
            fmt::format("a block of {} tokens needs {} registers for its scores; {} "
                        "are free",
                        block, scratch_tiles(plan, block), plan.registers.scratch_tiles));
    }
    if (asked == 0) {
        while (scratch_tiles(plan, block + unit) <= plan.registers.scratch_tiles) block += unit;
    }
    return static_cast<std::uint32_t>(block);
}

}  // namespace

std::uint32_t AttentionPlan::score_width() const {
    return static_cast<std::uint32_t>(std::popcount(keys.mask()));
}

std::uint32_t AttentionPlan::partial_width() const {
    return static_cast<std::uint32_t>(std::popcount(values.mask()));
}

std::vector<QuerySet> AttentionPlan::query_sets() const {
    const std::uint32_t passes = values.passes();
    if (options.partition == HeadPartition::tcp) {
        return {{.queries = shape.group,
                 .score_stride = block_tiles(),
                 .weight_stride = block_tiles(),
                 .partial_stride = passes * partial_width(),
                 .output_stride = tiles()}};
    }
    // A set is one query of every head: heads lie side by side in what RD_MAC brings.
    const std::uint32_t heads = shape.kv_heads;
    const std::uint32_t per_state = pim::hub_queries / heads;
    std::vector<QuerySet> sets;
    for (std::uint32_t i = 0; i < shape.group; ++i) {
        sets.push_back({.state = i / per_state,
                        .first_query = i % per_state * heads,
                        .queries = heads,
                        .scores = i * query_scores(),
                        .score_stride = 1,
                        .score_tile_stride = heads,
                        .weight_stride = block_tiles(),
                        .partials = i * passes * heads,
                        .partial_stride = 1,
                        .partial_tile_stride = heads,
                        .output = i * tiles(),
                        .output_stride = shape.group * tiles()});
    }
    return sets;
}

std::uint64_t block_unit(const KvLayout& keys, const KvLayout& values) {
    return std::lcm(std::uint64_t{keys.row_tokens()}, std::uint64_t{values.row_tokens()});
}

std::uint64_t scratch_tiles(const AttentionPlan& plan, std::uint64_t block_tokens) {
    const std::uint64_t scores =
        std::uint64_t{plan.shape.group} * plan.shape.kv_heads * (block_tokens / pim::lanes);
    const std::uint64_t partials =
        std::uint64_t{plan.shape.group} * plan.values.passes() * plan.partial_width();
    const std::uint64_t append = std::uint64_t{plan.shape.kv_heads} * plan.tiles() * pim::lanes;
    return std::max(scores + partials, append);
}

Result<AttentionPlan> plan_attention(const AttentionShape& shape, std::uint32_t heads,
                                     const AttentionOptions& options,
                                     const AttentionRegisters& registers) {
    MEMSIDE_CHECK(check(shape, options));
    AttentionPlan plan{.shape = shape,
                       .options = options,
                       .registers = registers,
                       .keys = layout(KvKind::key, shape, heads, options),
                       .values = layout(KvKind::value, shape, heads, options)};
    plan.shape.kv_heads = heads;
    MEMSIDE_CHECK(plan.keys.check());
    MEMSIDE_CHECK(plan.values.check());
    if (options.partition == HeadPartition::hfp) {
        const std::uint32_t per_state = pim::hub_queries / heads;
        MEMSIDE_CHECK(pim::check_size("the number of query heads of a KV head", shape.group,
                                      std::uint64_t{pim::hub_states} * per_state));
    }
    choose_batches(plan);
    MEMSIDE_TRY(plan.block_tokens, choose_block(plan));
    return plan;
}

Result<std::vector<HeadRound>> plan_rounds(const AttentionShape& shape,
                                           const AttentionOptions& options,
                                           const AttentionRegisters& registers) {
    MEMSIDE_CHECK(check(shape, options));
    const bool chosen = options.heads_at_once != 0;
    std::uint32_t heads = 1;
    if (options.partition == HeadPartition::hfp) {
        heads = std::min<std::uint32_t>(shape.kv_heads,
                                        chosen ? options.heads_at_once : options.channels);
    }
    // Fewer heads together when a block's scores of all of them do not fit.
    auto first = plan_attention(shape, heads, options, registers);
    while (!first && heads > 1 && !chosen) {
        heads = (heads + 1) / 2;
        first = plan_attention(shape, heads, options, registers);
    }
    if (!first) return first.error();
    std::vector<HeadRound> rounds;
    for (std::uint32_t head = 0; head < shape.kv_heads; head += heads) {
        AttentionRegisters own = registers;
        const std::uint32_t before = head * shape.group * first->tiles();
        own.query += before;
        own.output += before;
        const std::uint32_t count = std::min(heads, shape.kv_heads - head);
        MEMSIDE_TRY(AttentionPlan plan, plan_attention(shape, count, options, own));
        rounds.push_back({head, std::move(plan)});
    }
    return rounds;
}

}  // namespace memside::compiler
