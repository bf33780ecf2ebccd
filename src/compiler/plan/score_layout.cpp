#include "compiler/plan/score_layout.h"

#include <numeric>

#include "base/text.h"

namespace memside::compiler {
namespace {

// Tiles of scores that a block of QK^T may take: half of the registers, so that the layout follows
// from the heads alone.
constexpr std::uint64_t most_score_tiles = pim::gpr_entries / 2;

std::uint64_t heads_and_queries(const AttentionPlan& plan) {
    return std::uint64_t{plan.shape.kv_heads} * plan.shape.group;
}

// Columns of scores that a row of values takes.
std::uint32_t columns_of_values(const AttentionPlan& plan, unsigned ways) {
    return pim::columns_per_row * plan.values.classes() / ways;
}

Result<AttentionPlan> with_block(AttentionPlan plan, std::uint64_t tokens, std::uint64_t tiles) {
    if (tiles > plan.registers.scratch_tiles) {
        return bad_input("attention", fmt::format("scores need {} registers; {} are free", tiles,
                                                  plan.registers.scratch_tiles));
    }
    plan.block_tokens = static_cast<std::uint32_t>(tokens);
    return plan;
}

}  // namespace

std::uint32_t ScoreLayout::way_mask(unsigned head, unsigned way) const {
    const unsigned channel = pim::channel_at(channels, head * ways + way);
    return 1U << (pim::channel_count - 1 - channel);
}

std::uint32_t ScoreLayout::mask() const {
    std::uint32_t mask = 0;
    for (unsigned head = 0; head < heads; ++head) {
        for (unsigned way = 0; way < ways; ++way) mask |= way_mask(head, way);
    }
    return mask;
}

pim::Place ScoreLayout::place(std::uint64_t token, unsigned head, std::uint32_t query) const {
    const auto tile = static_cast<std::uint32_t>(token / pim::lanes);
    const std::uint32_t column = tile / ways;
    return {.space = pim::Space::bank,
            .channel = pim::channel_at(channels, head * ways + tile % ways),
            .bank = 0,
            .row = column / columns * queries + query,
            .entry = column % columns};
}

Result<ScoreLayout> score_layout(const AttentionPlan& plan) {
    ScoreLayout layout{.channels = plan.options.channels,
                       .heads = plan.shape.kv_heads,
                       .queries = plan.shape.group};
    // As many channels as let a column end where a RD_MAC of scores and a row of values do.
    layout.ways = std::gcd(plan.keys.ways, pim::columns_per_row * plan.values.classes());
    const std::uint32_t values = columns_of_values(plan, layout.ways);
    const std::uint64_t key_tiles = plan.keys.row_tokens() / pim::lanes;
    for (std::uint32_t columns = pim::columns_per_row; columns > 0; --columns) {
        if (values % columns != 0 && columns % values != 0) continue;
        const std::uint64_t block =
            std::lcm(key_tiles, std::uint64_t{layout.ways} * columns) * heads_and_queries(plan);
        if (block > most_score_tiles) continue;
        layout.columns = columns;
        return layout;
    }
    return bad_input(
        "attention",
        fmt::format("scores of {} query heads for a row of {} keys are more than {} "
                    "registers",
                    heads_and_queries(plan), plan.keys.row_tokens(), most_score_tiles));
}

Result<AttentionPlan> plan_scores(AttentionPlan plan, const ScoreLayout& layout) {
    const std::uint64_t tokens = std::lcm(plan.keys.row_tokens(), layout.row_tokens());
    return with_block(plan, tokens, tokens / pim::lanes * heads_and_queries(plan));
}

Result<AttentionPlan> plan_sums(AttentionPlan plan, const ScoreLayout& layout) {
    const std::uint64_t weights =
        std::uint64_t{plan.values.row_tokens()} / pim::lanes * plan.shape.kv_heads;
    const std::uint64_t partials =
        std::uint64_t{plan.shape.group} * plan.values.passes() * plan.partial_width();
    return with_block(plan, std::max(plan.values.row_tokens(), layout.row_tokens()),
                      weights + partials);
}

}  // namespace memside::compiler
