// What the extra processing unit (EPU) of a module's hub does between AiM instructions: softmax
// over blocks of tokens, sums of partial vectors, norms, rotation, gates, and the new token's way
// into the caches. Operands and results are tiles of bf16 in the GPRs; inside it computes in FP32.
// The papers name the unit and its tasks only: this set of instructions is the project's
// (docs/pim-dynamic.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pim/instruction.h"

namespace memside::pim {

inline constexpr std::uint32_t hub_states = 16;   // EPU slots
inline constexpr std::uint32_t hub_queries = 64;  // query heads of a slot

// A piece is a run of tokens of the request: what the innermost token loop is at, or all of them.
enum class HubOp : std::uint8_t {
    // Queries first_query to + queries of the state: nothing seen; outputs of head_dim zeros.
    softmax_start,
    // Scores of query q, token tile i (16 tokens) of the piece: gpr + q query_stride + i
    // tile_stride.
    // Goes on with the running maximum and sum over scale x score, rescales the outputs, and writes
    // exp(scale x score - maximum) of token tile i to gpr_out + q out_query_stride +
    // i % classes x class_stride + i / classes: the order in which SV reads. Weights past the
    // piece,
    // up to a multiple of `granule` tokens, are written as 0, as are those of masked tokens: token
    // t
    // of a request of T counts when t < T and (window 0) or t + window >= T. With `tokens` not 0
    // the
    // piece is [first_token, + tokens): static programs say it so. All scores are read before the
    // first weight is written, so the two may overlap. The sum is over weights as written.
    softmax_block,
    // Adds to the output of query q: `parts` partial vectors, tile i of part p at
    // gpr + q query_stride + p part_stride + i tile_stride, of head_dim values.
    accumulate,
    // Output over sum of query q to gpr_out + q out_query_stride, head_dim values, zeros after
    // them. choice 1: a tile more, whose first three lanes add up to maximum + log(sum), for
    // `combine`; a query none of whose tokens count gives zeros and minus infinity.
    softmax_finish,
    // gpr_out + i: sum over p < parts of gpr + p part_stride + i (choice 1: plus gpr2 + i), i <
    // tiles.
    reduce,
    // Each of `rows` rows of `values` values, a whole number of tiles apart: x / sqrt(mean(x^2) +
    // scale) x weight. gpr to gpr_out; weights at gpr2, the same for each row.
    rms_norm,
    // In place, `heads` vectors of head_dim values at gpr, a whole number of tiles apart: rotates
    // by position x scale over powers of theta. choice: RopeStyle. position: of the new token,
    // T - 1. table not 0: pair i's angle is divided by value i of the program's table number
    // table - 1.
    rope,
    // gpr_out + i = f(gpr + i) x (gpr2 + i), i < tiles. choice: GateFunction.
    gate,
    // gpr_out + i = (gpr + i) + (gpr2 + i), i < tiles.
    add,
    // Every lane of gpr_out to + tiles: value `scale`.
    fill,
    // gpr_out + i = gpr + i, i < tiles.
    copy,
    // What softmax_finish with choice 1 gave for `parts` parts of a request's tokens, as one
    // softmax
    // over all of them: query q of part p at gpr + q query_stride + p part_stride, the result, of
    // head_dim values, to gpr_out + q out_query_stride.
    combine,
    // The new token's key of `heads` KV heads, head h at gpr + h query_stride, to its place in
    // `region` (KvLayout{head_dim, channels of the program, ways, heads}). Expands to WR_SBK.
    append_key,
    // The same of values. V lies transposed: reads the tiles of a token's neighbours to gpr2 and on
    // (dimension d of head h at gpr2 + d heads + h; room for head_dim padded to 16), sets a lane in
    // each, and writes them back: RD_SBK, merge, WR_SBK.
    append_value,
    // Made by expansion alone: lane `choice` of tile gpr2 + i tile_stride takes value i of the
    // `values` at gpr.
    merge,
};
inline constexpr std::size_t hub_op_count = 15;

enum class RopeStyle : std::uint8_t {
    neox,      // pairs value i with i + head_dim / 2
    adjacent,  // pairs values 2 i and 2 i + 1
};
enum class GateFunction : std::uint8_t { silu, gelu_tanh };

// One instruction. Fields that its operation does not have keep their defaults.
struct HubInstruction {
    HubOp op = HubOp::fill;
    std::uint32_t state = 0;
    std::uint32_t first_query = 0;
    std::uint32_t queries = 1;
    std::uint32_t head_dim = 0;
    std::uint32_t gpr = 0;
    std::uint32_t gpr2 = 0;
    std::uint32_t gpr_out = 0;
    std::uint32_t tiles = 0;
    std::uint32_t query_stride = 0;  // tiles
    std::uint32_t tile_stride = 1;   // tiles
    std::uint32_t out_query_stride = 0;
    std::uint32_t classes = 1;
    std::uint32_t class_stride = 0;
    std::uint32_t granule = lanes;  // tokens
    std::uint32_t window = 0;       // tokens; 0: all are seen
    std::uint32_t first_token = 0;
    std::uint32_t tokens = 0;
    std::uint32_t parts = 1;
    std::uint32_t part_stride = 0;
    std::uint32_t rows = 1;
    std::uint32_t values = 0;
    std::uint32_t heads = 1;
    std::uint32_t ways = 1;  // channels that share a head's tokens: all of them TCP, 1 HFP
    std::uint32_t region = 0;
    std::uint32_t choice = 0;
    std::uint32_t table = 0;  // of rope: a table of the program, from 1 on; 0: none
    float scale = 1;          // softmax_block, rope; of rms_norm the eps, of fill the value
    float theta = 0;          // rope

    friend bool operator==(const HubInstruction&, const HubInstruction&) = default;
};

// A field as binary form, listing and validation see it. All but the last two are whole numbers.
struct HubField {
    std::string_view name;
    std::uint32_t HubInstruction::* number = nullptr;
    float HubInstruction::* real = nullptr;
    std::uint32_t low = 0;
    std::uint32_t high = 0;
};
inline constexpr std::size_t hub_field_count = 28;
const std::array<HubField, hub_field_count>& hub_fields();

struct HubOpInfo {
    HubOp op;
    std::string_view name;  // "softmax_block"
    std::uint32_t fields;   // a set of indices into hub_fields()
};
const HubOpInfo& info(HubOp op);

// What is wrong with an instruction: a field out of range, or tiles beyond the last GPR ("gpr 17000
// is above 16383"). `piece` is the most tokens that its piece can have; 0: unknown, then what
// depends on it is left to expansion.
std::optional<std::string> find_fault(const HubInstruction& hub, std::uint64_t piece);

// With the fields that its operation does not have at their defaults.
HubInstruction canonical(const HubInstruction& hub);

}  // namespace memside::pim
