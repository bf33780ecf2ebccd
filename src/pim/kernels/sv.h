// SV: for each of `queries` query heads that share one KV head, the values of its tokens summed
// with the head's weights.
//
// Layout. V lies transposed: bank b holds dimensions b, 16 + b, ..., one row for each (16 of them:
// a dimension group) and chunk of up to 64 token tiles. The token axis is split over the channels
// (TCP of PIMphony): channel i has the token tiles i x tiles_per_channel() and on. Each RD_MAC
// reads a partial sum, rounded to bf16; the hub adds those of all chunks and channels. Registers:
// the weights of every query in token order (as QK^T leaves its scores), a tile of zeros (the
// bias), the partial sums.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pim/kernels/kernel.h"
#include "pim/program.h"

namespace memside::pim {

struct SvShape {
    std::uint32_t head_dim = 128;
    std::uint32_t tokens = 0;
    std::uint32_t queries = 1;  // the GQA group; 1 without
};

struct SvOptions : KernelOptions {
    // All queries use a row while it is open, each with its own accumulator (out=). Unless GBuf
    // holds a chunk's weights of all of them, they are written again for every row.
    bool row_reuse = false;
};

struct SvLayout {
    SvShape shape;
    KernelOptions options;

    std::uint32_t dimension_groups() const { return units(shape.head_dim, bank_count); }
    std::uint32_t tiles_per_channel() const {
        return units(units(shape.tokens, lanes), options.channels);
    }
    std::uint32_t chunks() const { return units(tiles_per_channel(), columns_per_row); }
    std::uint32_t chunk_tiles(std::uint32_t chunk) const;
    std::uint32_t rows() const { return chunks() * dimension_groups(); }
    std::uint32_t row(std::uint32_t chunk, std::uint32_t dimension_group) const {
        return options.first_row + chunk * dimension_groups() + dimension_group;
    }
    std::uint32_t weight_tiles() const { return options.channels * tiles_per_channel(); }
    std::uint32_t weights_gpr() const { return options.first_gpr; }
    // With Registers::reused, a transfer's tiles for each channel and each query that shares GBuf.
    std::uint32_t weight_gprs() const;
    std::uint32_t bias_gpr() const { return weights_gpr() + weight_gprs(); }
    std::uint32_t partials_gpr() const { return bias_gpr() + 1; }
};

struct SvKernel {
    Program program;
    SvLayout layout;
};

// bad_input when a size is out of range or does not fit.
Result<SvKernel> make_sv(const SvShape& shape, const SvOptions& options);

// values: [tokens][head_dim]. weights: [queries][tokens]; also places the bias.
void place_values(const SvLayout& layout, std::span<const Bf16> values, Memory& memory);
void place_weights(const SvLayout& layout, std::span<const Bf16> weights, Memory& memory);

// [queries][head_dim] after a run with Registers::own: partial sums added in FP32, by chunk, then
// by channel ascending, from 0 on.
std::vector<float> gather_sums(const SvLayout& layout, const Memory& memory);

}  // namespace memside::pim
