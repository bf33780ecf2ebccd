// Where the scores of QK^T, and the weights that SV takes, lie in the banks when a program has one
// of the two alone: scores of a long context are more than the registers hold. In bank 0, a query a
// row:
//   token tile t (16 tokens): channel t % ways of the head, column t / ways % columns,
//   row t / ways / columns x queries + query.
// Heads in lockstep have the same rows, each its own channel.
#pragma once

#include <cstdint>

#include "compiler/plan/attention_plan.h"

namespace memside::compiler {

struct ScoreLayout {
    unsigned channels = pim::channel_count;  // of the program
    unsigned ways = 1;                       // channels of a head
    unsigned heads = 1;
    std::uint32_t queries = 1;  // of each head
    std::uint32_t columns = pim::columns_per_row;

    // Tokens of a column of all channels of a head, and of a row.
    std::uint32_t column_tokens() const { return ways * pim::lanes; }
    std::uint32_t row_tokens() const { return columns * column_tokens(); }
    std::uint32_t rows(std::uint64_t tokens) const {
        return pim::units(tokens, row_tokens()) * queries;
    }

    std::uint32_t mask() const;
    std::uint32_t way_mask(unsigned head, unsigned way) const;
    // The tile of a token's score; the token is lane token % 16 of it.
    pim::Place place(std::uint64_t token, unsigned head, std::uint32_t query) const;
};

// Of a plan's heads: the same for QK^T and for SV, whatever registers are free. bad_input: scores
// of a row of keys of all heads and queries are more than half of the registers.
Result<ScoreLayout> score_layout(const AttentionPlan& plan);

// Plans whose blocks are whole rows of keys and of scores (QK^T), or rows of values and of scores
// (SV). bad_input when the scratch is too small.
Result<AttentionPlan> plan_scores(AttentionPlan plan, const ScoreLayout& layout);
Result<AttentionPlan> plan_sums(AttentionPlan plan, const ScoreLayout& layout);

}  // namespace memside::compiler
