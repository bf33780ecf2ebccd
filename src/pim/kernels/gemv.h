// GEMV: y = W x with W of rows x columns.
//
// Layout. Matrix rows are dealt to banks and channels as kernel.h says; a matrix row is cut into
// chunks of 64 tiles, and every (chunk, group) has a DRAM row. Registers: x, a tile of zeros (the
// bias), the results.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pim/kernels/kernel.h"
#include "pim/program.h"

namespace memside::pim {

struct GemvShape {
    std::uint32_t rows = 0;
    std::uint32_t columns = 0;
};

enum class GemvOrder : std::uint8_t {
    chunk_outer,  // GBuf is written once per chunk; every chunk gives a partial sum, rounded to
                  // bf16, and the hub adds them
    group_outer,  // the accumulators keep a group's sums over all chunks; GBuf is written for each
};

struct GemvOptions : KernelOptions {
    GemvOrder order = GemvOrder::chunk_outer;
};

struct GemvLayout {
    GemvShape shape;
    GemvOptions options;

    std::uint32_t tiles() const { return units(shape.columns, lanes); }
    std::uint32_t chunks() const { return units(tiles(), columns_per_row); }
    std::uint32_t chunk_tiles(std::uint32_t chunk) const;
    std::uint32_t groups() const {
        return units(shape.rows, Dealing{options.channels}.per_group());
    }
    std::uint32_t row(std::uint32_t chunk, std::uint32_t group) const {
        return options.first_row + (options.order == GemvOrder::chunk_outer
                                        ? chunk * groups() + group
                                        : group * chunks() + chunk);
    }
    // Partial sums of a result: one without, or with accumulators that keep them.
    std::uint32_t parts() const { return options.order == GemvOrder::chunk_outer ? chunks() : 1; }
    std::uint32_t x_gpr() const { return options.first_gpr; }
    // With Registers::reused, those of one chunk.
    std::uint32_t x_gprs() const {
        return options.registers == Registers::own ? tiles() : gbuf_entries;
    }
    std::uint32_t bias_gpr() const { return x_gpr() + x_gprs(); }
    std::uint32_t results_gpr() const { return bias_gpr() + 1; }
};

struct GemvKernel {
    Program program;
    GemvLayout layout;
};

// bad_input when a size is out of range or does not fit.
Result<GemvKernel> make_gemv(const GemvShape& shape, const GemvOptions& options);

// matrix: [rows][columns]. x: [columns]; also places the bias.
void place_matrix(const GemvLayout& layout, std::span<const Bf16> matrix, Memory& memory);
void place_x(const GemvLayout& layout, std::span<const Bf16> x, Memory& memory);

// [rows] after a run with Registers::own: partial sums added in FP32 by ascending chunk, from 0 on.
std::vector<float> gather_y(const GemvLayout& layout, const Memory& memory);

}  // namespace memside::pim
