// How the attention of one decode step is laid out on a module: which channels work on which heads,
// how many tokens a block has, and what shares GBuf, the accumulators and the registers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "pim/dynamic/hub_instruction.h"
#include "pim/dynamic/kv_layout.h"
#include "pim/instruction_table.h"

namespace memside::compiler {

// Head-first (HFP): a channel for each KV head, heads in lockstep. Token-centric (TCP): all
// channels for one KV head, its tokens split over them. PIMphony, section 3 of the facts in
// docs/compiler.md.
enum class HeadPartition : std::uint8_t { hfp, tcp };

// In which order the commands of scores that the accumulators hold together are written.
enum class CommandOrder : std::uint8_t {
    in_runs,         // all WR_BIAS, then all MAC_ABK, then all RD_MAC: few changes of mode
    score_by_score,  // as a score needs them; pim-order-commands makes runs of it
};

struct AttentionShape {
    std::uint32_t kv_heads = 1;
    std::uint32_t group = 1;  // query heads that share a KV head
    std::uint32_t head_dim = 128;
    std::uint32_t window = 0;  // the last tokens that are seen; 0: all
    float scale = 1;           // of the scores
};

struct AttentionOptions {
    unsigned channels = pim::channel_count;
    HeadPartition partition = HeadPartition::tcp;
    // The query heads of a KV head share a row of K and V while it is open.
    bool row_reuse = true;
    // Entries of the output buffer that the program may use; 1 is the device without one.
    std::uint32_t accumulators = 64;
    // The most tiles of one WR_GB of weights: a half of GBuf, and what a channel's queue takes in
    // at once, so that the hub goes on to the next channels.
    std::uint32_t transfer_tiles = 32;
    std::uint32_t block_tokens = 0;   // 0: as many as the registers hold
    std::uint32_t heads_at_once = 0;  // HFP; 0: as many as channels and registers hold
    CommandOrder order = CommandOrder::in_runs;
};

// First tiles in the registers. Queries: those of KV head h from query + h x group x tiles on, in
// order; outputs in the same order.
struct AttentionRegisters {
    std::uint32_t zero = 0;  // a tile of zeros
    std::uint32_t query = 0;
    std::uint32_t output = 0;
    std::uint32_t scratch = 0;  // scores, weights in their place, partial sums; then appends
    std::uint32_t scratch_tiles = 0;
    // Outputs of a part of the tokens, each followed by a tile for the hub's combine.
    bool parts = false;
};

// Modules that share the tokens of a KV head exchange queries and outputs through registers.
struct TokenExchange {
    std::uint32_t modules = 1;
    std::uint32_t queries = 0;       // of a module
    std::uint32_t query_tiles = 0;   // its queries
    std::uint32_t output_tiles = 0;  // outputs for one module, with their tiles for combine
    std::uint32_t gathered = 0;      // first register of the queries of all modules
    std::uint32_t outputs = 0;       // of what this module makes of its tokens
    std::uint32_t received = 0;      // of what all make for this module's queries
};

// Takes registers from the scratch and sets query, output and parts. Nothing changes with one
// module. bad_input when they do not fit, or queries are not the same number for each.
Result<TokenExchange> plan_exchange(const AttentionShape& shape, std::uint32_t modules,
                                    AttentionRegisters& registers);

// Query heads that the EPU treats in one instruction, and where their tiles lie, relative to
// scores(), partials() and the output.
struct QuerySet {
    std::uint32_t state = 0;
    std::uint32_t first_query = 0;
    std::uint32_t queries = 0;
    std::uint32_t scores = 0;
    std::uint32_t score_stride = 0;       // from query to query
    std::uint32_t score_tile_stride = 1;  // from 16 tokens to the next
    std::uint32_t weight_stride = 0;
    std::uint32_t partials = 0;
    std::uint32_t partial_stride = 0;
    std::uint32_t partial_tile_stride = 1;
    std::uint32_t output = 0;
    std::uint32_t output_stride = 0;
};

// Heads that run together: TCP one, HFP up to as many as there are channels.
struct AttentionPlan {
    AttentionShape shape;  // kv_heads: those that run together
    AttentionOptions options;
    AttentionRegisters registers;
    pim::KvLayout keys;
    pim::KvLayout values;
    std::uint32_t block_tokens = 0;  // whole rows of keys and of values
    std::uint32_t query_batch = 1;   // of QK^T: queries side by side in GBuf
    std::uint32_t slot_batch = 1;  // keys of a bank whose scores the accumulators hold, each query
    std::uint32_t sum_batch = 1;   // of SV: queries with accumulators at the same time
    std::uint32_t pass_batch = 1;  // and their dimension groups

    std::uint32_t tiles() const { return keys.tiles(); }
    // From an output to the next.
    std::uint32_t output_tiles() const { return tiles() + (registers.parts ? 1 : 0); }
    std::uint32_t block_tiles() const { return block_tokens / pim::lanes; }
    // Tiles of scores of one query of every head.
    std::uint32_t query_scores() const { return shape.kv_heads * block_tiles(); }
    std::uint32_t class_stride() const { return block_tiles() / values.classes(); }
    // Tiles that a RD_MAC brings.
    std::uint32_t score_width() const;
    std::uint32_t partial_width() const;
    std::uint32_t scores() const { return registers.scratch; }
    std::uint32_t partials() const { return scores() + shape.group * query_scores(); }
    std::vector<QuerySet> query_sets() const;
};

// Tiles that the scratch needs with blocks of `block_tokens`, and what a block is a multiple of.
std::uint64_t scratch_tiles(const AttentionPlan& plan, std::uint64_t block_tokens);
std::uint64_t block_unit(const pim::KvLayout& keys, const pim::KvLayout& values);

// Plans for `shape`'s heads, `heads` of them together. bad_input: a shape, an option, or a block
// that the registers cannot hold.
Result<AttentionPlan> plan_attention(const AttentionShape& shape, std::uint32_t heads,
                                     const AttentionOptions& options,
                                     const AttentionRegisters& registers);

// Rounds of heads one after the other. `heads` are those of all rounds but the last, which may have
// fewer: as many as there are channels and as the registers hold.
struct HeadRound {
    std::uint32_t first_head = 0;
    AttentionPlan plan;  // its registers are those of the round's heads
};
Result<std::vector<HeadRound>> plan_rounds(const AttentionShape& shape,
                                           const AttentionOptions& options,
                                           const AttentionRegisters& registers);

}  // namespace memside::compiler
