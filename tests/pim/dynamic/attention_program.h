// Attention of one decode step written by hand as a dynamic program: append, then QK^T, softmax and
// SV over blocks of tokens. What compiler passes make must do the same.
#pragma once

#include "pim/dynamic/dynamic_program.h"
#include "pim/dynamic/kv_layout.h"

namespace memside::pim {

struct AttentionShape {
    std::uint32_t head_dim = 128;
    unsigned channels = channel_count;
    bool hfp = false;      // heads in lockstep, a channel each; else all channels for one head
    unsigned heads = 1;    // KV heads at once
    unsigned queries = 4;  // query heads that share a KV head
    std::uint32_t window = 0;
    std::uint64_t max_tokens = 0;
    std::uint32_t chunk_rows = 1;
    float scale = 0;  // 0: 1 / sqrt(head_dim)
};

// Where operands and results lie: query (or result) j of KV head h is number j heads + h.
struct AttentionLayout {
    AttentionShape shape;
    KvLayout keys;
    KvLayout values;

    explicit AttentionLayout(const AttentionShape& shape);

    std::uint32_t tiles() const { return keys.tiles(); }
    std::uint32_t block_tokens() const;
    std::uint32_t all_queries() const { return shape.queries * shape.heads; }
    std::uint32_t score_tiles() const { return block_tokens() / lanes * shape.heads; }
    std::uint32_t class_tiles() const { return units(block_tokens() / lanes, values.classes()); }
    std::uint32_t weight_tiles() const { return values.classes() * class_tiles(); }
    std::uint32_t partial_tiles() const {
        return values.passes() * shape.heads * values.used_ways();
    }

    std::uint32_t zero_gpr() const { return 0; }
    std::uint32_t queries_gpr() const { return 1; }
    std::uint32_t key_gpr() const { return queries_gpr() + all_queries() * tiles(); }
    std::uint32_t value_gpr() const { return key_gpr() + shape.heads * tiles(); }
    std::uint32_t results_gpr() const { return value_gpr() + shape.heads * tiles(); }
    std::uint32_t scratch_gpr() const { return results_gpr() + all_queries() * tiles(); }
    std::uint32_t scores_gpr() const { return scratch_gpr() + shape.heads * tiles() * lanes; }
    std::uint32_t weights_gpr() const { return scores_gpr() + shape.queries * score_tiles(); }
    std::uint32_t partials_gpr() const { return weights_gpr() + all_queries() * weight_tiles(); }
    std::uint32_t end_gpr() const { return partials_gpr() + shape.queries * partial_tiles(); }
};

// Regions 0 (keys) and 1 (values), entries "append" and "attention".
DynamicProgram attention_program(const AttentionLayout& layout);

}  // namespace memside::pim
