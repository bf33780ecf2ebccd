#include "pim/kernels/gemv.h"

#include <cassert>

#include "pim/kernels/kernel_writer.h"

namespace memside::pim {
namespace {

using Operand = Stride::Operand;
using LoopId = KernelWriter::LoopId;

constexpr std::uint32_t max_size = 1U << 24;  // far beyond a module's rows

class GemvWriter {
  public:
    explicit GemvWriter(const GemvLayout& layout)
        : layout_(layout),
          mask_(channel_mask(layout.options.channels)),
          own_(layout.options.registers == Registers::own) {}

    Program write() && {
        if (layout_.options.order == GemvOrder::chunk_outer) {
            each_chunk([this](const Chunk& chunk) {
                write_gbuf(chunk);
                writer_.loop(layout_.groups(), [&](LoopId group) {
                    write_bias();
                    multiply(chunk, group);
                    read(chunk.loop, chunk.first, group);
                });
            });
        } else {
            writer_.loop(layout_.groups(), [this](LoopId group) {
                write_bias();
                each_chunk([&](const Chunk& chunk) {
                    write_gbuf(chunk);
                    multiply(chunk, group);
                });
                writer_.loop(1, [&](LoopId none) { read(none, 0, group); });
            });
        }
        return std::move(writer_).finish();
    }

  private:
    struct Chunk {
        LoopId loop;
        std::uint32_t first;  // of the loop
        std::uint32_t tiles;
    };

    // Calls body for the full chunks, in a loop, and for the last one when it is not full.
    template <typename Body>
    void each_chunk(const Body& body) {
        const std::uint32_t full = layout_.tiles() / columns_per_row;
        writer_.loop(full, [&](LoopId loop) { body(Chunk{loop, 0, columns_per_row}); });
        const std::uint32_t rest = layout_.tiles() % columns_per_row;
        if (rest > 0) writer_.loop(1, [&](LoopId loop) { body(Chunk{loop, full, rest}); });
    }

    void write_gbuf(const Chunk& chunk) {
        const std::uint32_t first = own_ ? chunk.first * columns_per_row : 0;
        writer_.add({.opcode = Opcode::wr_gb,
                     .opsize = chunk.tiles,
                     .mask = mask_,
                     .gpr = layout_.x_gpr() + first},
                    {{chunk.loop, Operand::gpr, own_ ? columns_per_row : 0}});
    }

    void write_bias() {
        writer_.add({.opcode = Opcode::wr_bias, .mask = mask_, .gpr = layout_.bias_gpr()});
    }

    void multiply(const Chunk& chunk, LoopId group) {
        const std::int64_t of_chunk = layout_.row(1, 0) - layout_.row(0, 0);
        const std::int64_t of_group = layout_.row(0, 1) - layout_.row(0, 0);
        writer_.add({.opcode = Opcode::mac_abk,
                     .opsize = chunk.tiles,
                     .mask = mask_,
                     .row = layout_.row(chunk.first, 0)},
                    {{chunk.loop, Operand::row, of_chunk}, {group, Operand::row, of_group}});
    }

    // Results in the order [part][group][channel].
    void read(LoopId part, std::uint32_t first_part, LoopId group) {
        const std::uint32_t channels = layout_.options.channels;
        const std::uint32_t of_part = layout_.groups() * channels;
        writer_.add(
            {.opcode = Opcode::rd_mac,
             .mask = mask_,
             .gpr = layout_.results_gpr() + (own_ ? first_part * of_part : 0)},
            {{part, Operand::gpr, own_ ? of_part : 0}, {group, Operand::gpr, own_ ? channels : 0}});
    }

    const GemvLayout& layout_;
    std::uint32_t mask_;
    bool own_;
    KernelWriter writer_;
};

}  // namespace

std::uint32_t GemvLayout::chunk_tiles(std::uint32_t chunk) const {
    return std::min(tiles() - chunk * columns_per_row, columns_per_row);
}

Result<GemvKernel> make_gemv(const GemvShape& shape, const GemvOptions& options) {
    MEMSIDE_CHECK(check_size("the number of matrix rows", shape.rows, max_size));
    MEMSIDE_CHECK(check_size("the number of matrix columns", shape.columns, max_size));
    MEMSIDE_CHECK(check_size("the number of channels", options.channels, channel_count));
    GemvKernel kernel{.program = {}, .layout = {shape, options}};
    const GemvLayout& layout = kernel.layout;
    const std::uint64_t results =
        std::uint64_t{options.channels} *
        (options.registers == Registers::own ? std::uint64_t{layout.parts()} * layout.groups() : 1);
    MEMSIDE_CHECK(check_room(options, std::uint64_t{layout.chunks()} * layout.groups(),
                             layout.x_gprs() + 1 + results));
    kernel.program = GemvWriter(layout).write();
    return kernel;
}

void place_matrix(const GemvLayout& layout, std::span<const Bf16> matrix, Memory& memory) {
    const std::size_t columns = layout.shape.columns;
    assert(matrix.size() == columns * layout.shape.rows);
    const Dealing dealing{layout.options.channels};
    const std::uint32_t padded = layout.groups() * dealing.per_group();
    for (std::uint32_t r = 0; r < padded; ++r) {
        const std::span<const Bf16> line =
            r < layout.shape.rows ? matrix.subspan(r * columns, columns) : std::span<const Bf16>();
        for (std::uint32_t chunk = 0; chunk < layout.chunks(); ++chunk) {
            const std::size_t first =
                std::min<std::size_t>(std::size_t{chunk} * columns_per_row * lanes, line.size());
            const std::uint32_t tiles = layout.chunk_tiles(chunk);
            place_in_row(line.subspan(first, std::min<std::size_t>(line.size() - first,
                                                                   std::size_t{tiles} * lanes)),
                         tiles,
                         {.space = Space::bank,
                          .channel = dealing.channel(r),
                          .bank = dealing.bank(r),
                          .row = layout.row(chunk, dealing.group(r)),
                          .entry = 0},
                         memory);
        }
    }
}

void place_x(const GemvLayout& layout, std::span<const Bf16> x, Memory& memory) {
    assert(layout.options.registers == Registers::own);
    assert(x.size() == layout.shape.columns);
    place_in_gprs(x, layout.tiles(), layout.x_gpr(), memory);
    place_in_gprs({}, 1, layout.bias_gpr(), memory);
}

std::vector<float> gather_y(const GemvLayout& layout, const Memory& memory) {
    assert(layout.options.registers == Registers::own);
    const std::uint32_t of_part = layout.groups() * layout.options.channels;
    std::vector<float> y(layout.shape.rows, 0.0F);
    for (std::uint32_t part = 0; part < layout.parts(); ++part) {
        const std::vector<Bf16> sums =
            gather_gprs(layout.results_gpr() + part * of_part, y.size(), memory);
        for (std::size_t r = 0; r < y.size(); ++r) y[r] += to_float(sums[r]);
    }
    return y;
}

}  // namespace memside::pim
