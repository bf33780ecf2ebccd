#include "pim/kernels/sv.h"

#include <cassert>

#include "pim/kernels/kernel_writer.h"

namespace memside::pim {
namespace {

using Operand = Stride::Operand;
using LoopId = KernelWriter::LoopId;

constexpr std::uint32_t max_head_dim = 1U << 16;
constexpr std::uint32_t max_tokens = 1U << 30;  // far beyond a module's rows
constexpr std::uint32_t max_queries = 64;       // a choice: a GQA group has 8 or 16

class SvWriter {
  public:
    SvWriter(const SvLayout& layout, const SvOptions& options)
        : layout_(layout),
          options_(options),
          mask_(channel_mask(options.channels)),
          queries_(layout.shape.queries),
          own_(options.registers == Registers::own) {}

    Program write() && {
        if (options_.row_reuse) {
            each_chunk([this](const Chunk& chunk) { write_with_row_reuse(chunk); });
        } else {
            writer_.loop(queries_, [this](LoopId query) {
                each_chunk([&](const Chunk& chunk) {
                    write_weights(chunk, 0, 1, query);
                    each_row(chunk, query, 0, 1);
                });
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
        const std::uint32_t full = layout_.tiles_per_channel() / columns_per_row;
        writer_.loop(full, [&](LoopId loop) { body(Chunk{loop, 0, columns_per_row}); });
        const std::uint32_t rest = layout_.tiles_per_channel() % columns_per_row;
        if (rest > 0) writer_.loop(1, [&](LoopId loop) { body(Chunk{loop, full, rest}); });
    }

    void write_with_row_reuse(const Chunk& chunk) {
        const std::uint32_t fitting = gbuf_entries / chunk.tiles;
        if (queries_ <= fitting) {
            writer_.loop(1, [&](LoopId none) {
                write_weights(chunk, 0, queries_, none);
                each_row(chunk, none, 0, queries_);
            });
            return;
        }
        writer_.loop(layout_.dimension_groups(), [&](LoopId dimensions) {
            for (std::uint32_t first = 0; first < queries_; first += fitting) {
                const std::uint32_t batch = std::min(fitting, queries_ - first);
                writer_.loop(1, [&](LoopId none) {
                    write_weights(chunk, first, batch, none);
                    write_sums(chunk, dimensions, none, first, batch);
                });
            }
        });
    }

    void each_row(const Chunk& chunk, LoopId query, std::uint32_t first, std::uint32_t batch) {
        writer_.loop(layout_.dimension_groups(), [&](LoopId dimensions) {
            write_sums(chunk, dimensions, query, first, batch);
        });
    }

    // The chunk's weights of `batch` queries from `first` on, one channel after the other in the
    // order of the mask's bits.
    void write_weights(const Chunk& chunk, std::uint32_t first, std::uint32_t batch, LoopId query) {
        for (std::uint32_t b = 0; b < batch; ++b) {
            for (unsigned bit = 0; bit < options_.channels; ++bit) {
                const unsigned channel = options_.channels - 1 - bit;
                const std::uint32_t gbuf = b * chunk.tiles;
                const std::uint32_t own = (first + b) * layout_.weight_tiles() +
                                          channel * layout_.tiles_per_channel() +
                                          chunk.first * columns_per_row;
                const std::uint32_t reused = (b * options_.channels + channel) * chunk.tiles;
                writer_.add({.opcode = Opcode::wr_gb,
                             .written = static_cast<std::uint8_t>(gbuf > 0 ? optional_gbuf : 0),
                             .gbuf = static_cast<std::uint16_t>(gbuf),
                             .opsize = chunk.tiles,
                             .mask = 1U << bit,
                             .gpr = layout_.weights_gpr() + (own_ ? own : reused)},
                            {{chunk.loop, Operand::gpr, own_ ? columns_per_row : 0},
                             {query, Operand::gpr, own_ ? layout_.weight_tiles() : 0}});
            }
        }
    }

    void write_sums(const Chunk& chunk, LoopId dimensions, LoopId query, std::uint32_t first,
                    std::uint32_t batch) {
        const auto out = static_cast<std::uint8_t>(batch > 1 ? optional_out : 0);
        const auto gbuf = static_cast<std::uint8_t>(batch > 1 ? optional_gbuf : 0);
        const std::int64_t per_chunk = layout_.dimension_groups();
        writer_.loop(batch, [&](LoopId each) {
            writer_.add({.opcode = Opcode::wr_bias,
                         .written = out,
                         .mask = mask_,
                         .gpr = layout_.bias_gpr()},
                        {{each, Operand::out, 1}});
        });
        writer_.loop(batch, [&](LoopId each) {
            writer_.add({.opcode = Opcode::mac_abk,
                         .written = static_cast<std::uint8_t>(out | gbuf),
                         .opsize = chunk.tiles,
                         .mask = mask_,
                         .row = layout_.row(chunk.first, 0)},
                        {{chunk.loop, Operand::row, per_chunk},
                         {dimensions, Operand::row, 1},
                         {each, Operand::gbuf, chunk.tiles},
                         {each, Operand::out, 1}});
        });
        // Partial sums in the order [query][chunk][dimension group][channel].
        const std::int64_t channels = options_.channels;
        const std::int64_t of_chunk = per_chunk * channels;
        const std::int64_t of_query = of_chunk * layout_.chunks();
        const std::int64_t start = first * of_query + chunk.first * of_chunk;
        writer_.loop(batch, [&](LoopId each) {
            writer_.add(
                {.opcode = Opcode::rd_mac,
                 .written = out,
                 .mask = mask_,
                 .gpr = layout_.partials_gpr() + (own_ ? static_cast<std::uint32_t>(start) : 0)},
                {{chunk.loop, Operand::gpr, own_ ? of_chunk : 0},
                 {dimensions, Operand::gpr, own_ ? channels : 0},
                 {query, Operand::gpr, own_ ? of_query : 0},
                 {each, Operand::gpr, own_ ? of_query : channels},
                 {each, Operand::out, 1}});
        });
    }

    const SvLayout& layout_;
    const SvOptions& options_;
    std::uint32_t mask_;
    std::uint32_t queries_;
    bool own_;
    KernelWriter writer_;
};

}  // namespace

std::uint32_t SvLayout::chunk_tiles(std::uint32_t chunk) const {
    return std::min(tiles_per_channel() - chunk * columns_per_row, columns_per_row);
}

std::uint32_t SvLayout::weight_gprs() const {
    return options.registers == Registers::own ? shape.queries * weight_tiles()
                                               : options.channels * gbuf_entries;
}

Result<SvKernel> make_sv(const SvShape& shape, const SvOptions& options) {
    MEMSIDE_CHECK(check_size("the head dimension", shape.head_dim, max_head_dim));
    MEMSIDE_CHECK(check_size("the number of tokens", shape.tokens, max_tokens));
    MEMSIDE_CHECK(check_size("the number of queries", shape.queries, max_queries));
    MEMSIDE_CHECK(check_size("the number of channels", options.channels, channel_count));
    SvKernel kernel{.program = {}, .layout = {shape, options}};
    const SvLayout& layout = kernel.layout;
    const bool own = options.registers == Registers::own;
    const std::uint64_t rows = std::uint64_t{layout.chunks()} * layout.dimension_groups();
    const std::uint64_t weights =
        own ? std::uint64_t{shape.queries} * layout.weight_tiles() : layout.weight_gprs();
    const std::uint64_t partials =
        std::uint64_t{shape.queries} * options.channels * (own ? rows : 1);
    MEMSIDE_CHECK(check_room(options, rows, weights + 1 + partials));
    kernel.program = SvWriter(layout, options).write();
    return kernel;
}

void place_values(const SvLayout& layout, std::span<const Bf16> values, Memory& memory) {
    const std::uint32_t dims = layout.shape.head_dim;
    const std::uint32_t tokens = layout.shape.tokens;
    assert(values.size() == std::size_t{dims} * tokens);
    std::vector<Bf16> line;  // one dimension of a channel's tokens in one chunk
    for (std::uint32_t chunk = 0; chunk < layout.chunks(); ++chunk) {
        const std::uint32_t tiles = layout.chunk_tiles(chunk);
        for (unsigned channel = 0; channel < layout.options.channels; ++channel) {
            const std::uint32_t first =
                (channel * layout.tiles_per_channel() + chunk * columns_per_row) * lanes;
            for (std::uint32_t dim = 0; dim < layout.dimension_groups() * bank_count; ++dim) {
                line.clear();
                const std::uint32_t last = std::min(first + tiles * lanes, tokens);
                for (std::uint32_t token = first; dim < dims && token < last; ++token) {
                    line.push_back(values[std::size_t{token} * dims + dim]);
                }
                place_in_row(line, tiles,
                             {.space = Space::bank,
                              .channel = channel_at(layout.options.channels, channel),
                              .bank = dim % bank_count,
                              .row = layout.row(chunk, dim / bank_count),
                              .entry = 0},
                             memory);
            }
        }
    }
}

void place_weights(const SvLayout& layout, std::span<const Bf16> weights, Memory& memory) {
    assert(layout.options.registers == Registers::own);
    const std::size_t tokens = layout.shape.tokens;
    assert(weights.size() == tokens * layout.shape.queries);
    for (std::uint32_t q = 0; q < layout.shape.queries; ++q) {
        place_in_gprs(weights.subspan(q * tokens, tokens), layout.weight_tiles(),
                      layout.weights_gpr() + q * layout.weight_tiles(), memory);
    }
    place_in_gprs({}, 1, layout.bias_gpr(), memory);
}

std::vector<float> gather_sums(const SvLayout& layout, const Memory& memory) {
    assert(layout.options.registers == Registers::own);
    const std::uint32_t dims = layout.shape.head_dim;
    const unsigned channels = layout.options.channels;
    std::vector<float> sums(std::size_t{layout.shape.queries} * dims, 0.0F);
    std::uint32_t gpr = layout.partials_gpr();
    for (std::uint32_t q = 0; q < layout.shape.queries; ++q) {
        for (std::uint32_t row = 0; row < layout.rows(); ++row) {
            const std::uint32_t first = row % layout.dimension_groups() * bank_count;
            const std::uint32_t last = std::min(first + bank_count, dims);
            for (unsigned channel = 0; channel < channels; ++channel, ++gpr) {
                for (std::uint32_t dim = first; dim < last; ++dim) {
                    sums[std::size_t{q} * dims + dim] +=
                        to_float(memory.gpr(gpr).values[dim - first]);
                }
            }
        }
    }
    return sums;
}

}  // namespace memside::pim
