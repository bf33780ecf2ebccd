// The one table of the device's operations: which stage uses which unit, how much of it per cycle,
// and which bytes move. `lower` fills it in for a shape.
//
// Where things lie. A page's K and V of all KV heads are one piece of DRAM; digests are one area
// per layer. A row of K is read from the DMA buffer once and broadcast to the tiles that hold the
// query heads of its group. V is stored as K is, token by token; the DMA turns it in blocks of as
// many tokens as a tile has lanes, because the adder trees can only sum over what lies side by
// side. Scores of a whole context do not fit the buffers, so softmax goes on block by block with a
// running maximum.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pnm/pnm_spec.h"
#include "pnm/program.h"
#include "system/device.h"

namespace memside::pnm {

enum class Kernel { append, score, top_k, attention };
inline constexpr std::string_view kernel_names[] = {"append", "score", "top-k", "attention"};

// What the work of a stage is a product of.
enum class Extent {
    requests,
    tokens,        // attended, per request
    token_blocks,  // tokens / lanes, rounded up: the last block of a request is not full
    query_heads,
    head_dim,
    key_slices,     // cycles of a tile per row of K and query head; below 1 where rows share a tile
    pages,          // scored
    digest_slices,  // the same for a digest: min and max of a channel take two lanes
    padded_scores,  // to whole cycles of the sorter
    passes,         // of the merge sort
    merge_levels,   // cycles to fill the merge network, paid in every pass
    digest_values,  // keys that a digest is built from
    two,            // minimum and maximum
    kv_bytes,
    fed_bytes,  // kv_bytes or digest_bytes, as often as a group needs them
    digest_bytes,
    row_bytes,  // K and V of the tokens that are appended
    page_read_bytes,
    digest_write_bytes,
    spilled_bytes,  // scores that do not fit the buffers, out and back in, over all passes
};
inline constexpr std::size_t extent_count = 20;
std::string_view extent_name(Extent extent);

enum class Rate { one, tile, lane, sram_port, sfu, sorter, dram };
double elements_per_cycle(Rate rate, const PnmSpec& spec);

struct OperationRow {
    Kernel kernel;
    std::string_view stage;
    Unit unit;
    std::vector<Extent> work;
    Rate rate;
    Access access = Access::read_sequential;  // of Unit::dram
};

// In the order of execution.
std::span<const OperationRow> operation_table();

// The program of an operation that the device has units for. bad_input when the working set does
// not fit the vector buffers.
Result<Program> lower(const Attention& op, const PnmSpec& spec);
Result<Program> lower(const DigestScan& op, const PnmSpec& spec);
Result<Program> lower(const TopK& op, const PnmSpec& spec);
Result<Program> lower(const KvAppend& op, const PnmSpec& spec);

}  // namespace memside::pnm
