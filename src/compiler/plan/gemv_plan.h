// A linear layer y = W x on all channels of a module. Weights lie as pim::GemvLayout with
// chunk_outer says: a DRAM row for each (64 tiles of x, 16 x channels outputs). A chunk of x goes
// into GBuf once and meets all outputs whose sums the accumulators hold; sums stay in FP32 over all
// of x.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "compiler/plan/code_writer.h"
#include "pim/kernels/gemv.h"

namespace memside::compiler {

struct GemvPlan {
    pim::GemvLayout layout;  // its registers are not used
    std::uint32_t accumulators = 64;
    std::uint32_t transfer_tiles = 32;  // of a WR_GB
    std::uint32_t zero_gpr = 0;         // a tile of zeros
    std::uint32_t x_gpr = 0;
    std::uint32_t y_gpr = 0;

    std::uint32_t weight_rows() const { return layout.chunks() * layout.groups(); }
    // Tiles of y: the outputs and what pads them to whole groups.
    std::uint32_t y_tiles() const { return layout.groups() * layout.options.channels; }
};

// bad_input: sizes out of range, or registers that end beyond the last.
Result<GemvPlan> plan_gemv(const pim::GemvShape& shape, unsigned channels, GemvPlan wanted);

void write_gemv(const GemvPlan& plan, std::uint32_t region, CodeWriter& writer);

// Vectors that the module keeps for itself (norm weights, biases): tile i of a vector in channel
// i % channels, column i / channels, of one bank and row.
struct VectorSlot {
    std::uint32_t row = 0;
    std::uint32_t bank = 0;

    static VectorSlot at(std::uint32_t index) {
        return {index / pim::bank_count, index % pim::bank_count};
    }
};
constexpr std::uint32_t most_vector_tiles(unsigned channels) {
    return channels * pim::columns_per_row;
}

// Into `tiles` registers from `gpr` on.
void write_vector_load(const VectorSlot& slot, std::uint32_t tiles, std::uint32_t gpr,
                       unsigned channels, std::uint32_t region, CodeWriter& writer);
// What the host does before: values and zeros after them.
void place_vector(const VectorSlot& slot, std::span<const pim::Bf16> values, unsigned channels,
                  std::uint32_t first_row, pim::Memory& memory);

}  // namespace memside::compiler
