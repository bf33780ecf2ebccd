#include "pim/kernels/qk.h"

#include <cassert>

#include "pim/kernels/kernel_writer.h"

namespace memside::pim {
namespace {

using Operand = Stride::Operand;
using LoopId = KernelWriter::LoopId;

constexpr std::uint32_t max_head_dim = columns_per_row * lanes;
constexpr std::uint32_t max_tokens = 1U << 30;  // far beyond a module's rows
constexpr std::uint32_t max_queries = 64;       // a choice: a GQA group has 8 or 16

class QkWriter {
  public:
    QkWriter(const QkLayout& layout, const QkOptions& options)
        : layout_(layout),
          options_(options),
          mask_(channel_mask(options.channels)),
          queries_(layout.shape.queries),
          own_(options.registers == Registers::own) {}

    Program write() && {
        if (!options_.row_reuse) {
            writer_.loop(queries_, [this](LoopId query) { write_query_by_query(query); });
        } else if (options_.rewrite_query_per_group) {
            each_row([this](LoopId row, std::uint32_t first_row, std::uint32_t slots) {
                writer_.loop(slots, [&](LoopId slot) {
                    writer_.loop(queries_, [&](LoopId query) {
                        write_gbuf(query);
                        write_scores({row, first_row, slot, query, 0, 1});
                    });
                });
            });
        } else {
            write_with_row_reuse();
        }
        return std::move(writer_).finish();
    }

  private:
    // The place of a group's scores in the loops around them.
    struct Position {
        LoopId row;
        std::uint32_t first_row;  // of the loop over rows
        LoopId slot;
        LoopId query;               // the loop over queries one by one
        std::uint32_t first_query;  // of a batch
        std::uint32_t batch;
    };

    // Calls body(loop, its first row, slots in use) for the full rows and for the last one.
    template <typename Body>
    void each_row(const Body& body) {
        const std::uint32_t full = layout_.groups() / layout_.slots();
        writer_.loop(full, [&](LoopId row) { body(row, 0, layout_.slots()); });
        const std::uint32_t rest = layout_.groups() % layout_.slots();
        if (rest > 0) writer_.loop(1, [&](LoopId row) { body(row, full, rest); });
    }

    void write_query_by_query(LoopId query) {
        if (!options_.rewrite_query_per_group) write_gbuf(query);
        each_row([&](LoopId row, std::uint32_t first_row, std::uint32_t slots) {
            writer_.loop(slots, [&](LoopId slot) {
                if (options_.rewrite_query_per_group) write_gbuf(query);
                write_scores({row, first_row, slot, query, 0, 1});
            });
        });
    }

    void write_with_row_reuse() {
        const std::uint32_t fitting = gbuf_entries / layout_.tiles();
        const bool all_fit = queries_ <= fitting;
        if (all_fit) write_gbuf_batch(0, queries_);
        each_row([&](LoopId row, std::uint32_t first_row, std::uint32_t slots) {
            for (std::uint32_t first = 0; first < queries_; first += fitting) {
                const std::uint32_t batch = std::min(fitting, queries_ - first);
                if (!all_fit) write_gbuf_batch(first, batch);
                writer_.loop(slots, [&](LoopId slot) {
                    writer_.loop(1, [&](LoopId none) {
                        write_scores({row, first_row, slot, none, first, batch});
                    });
                });
            }
        });
    }

    void write_gbuf(LoopId query) {
        const std::uint32_t tiles = layout_.tiles();
        writer_.add(
            {.opcode = Opcode::wr_gb, .opsize = tiles, .mask = mask_, .gpr = layout_.queries_gpr()},
            {{query, Operand::gpr, tiles}});
    }

    // A batch of queries side by side in GBuf; they are side by side in the registers too.
    void write_gbuf_batch(std::uint32_t first, std::uint32_t batch) {
        const std::uint32_t tiles = layout_.tiles();
        writer_.add({.opcode = Opcode::wr_gb,
                     .opsize = batch * tiles,
                     .mask = mask_,
                     .gpr = layout_.queries_gpr() + first * tiles});
    }

    void write_scores(const Position& at) {
        const std::uint32_t tiles = layout_.tiles();
        const auto out = static_cast<std::uint8_t>(at.batch > 1 ? optional_out : 0);
        writer_.loop(at.batch, [&](LoopId each) {
            writer_.add({.opcode = Opcode::wr_bias,
                         .written = out,
                         .mask = mask_,
                         .gpr = layout_.bias_gpr()},
                        {{each, Operand::out, 1}});
        });
        writer_.loop(at.batch, [&](LoopId each) {
            writer_.add(
                {.opcode = Opcode::mac_abk,
                 .written = static_cast<std::uint8_t>(optional_column | optional_gbuf | out),
                 .opsize = tiles,
                 .mask = mask_,
                 .row = options_.first_row + at.first_row},
                {{at.row, Operand::row, 1},
                 {at.slot, Operand::column, tiles},
                 {each, Operand::gbuf, tiles},
                 {each, Operand::out, 1}});
        });
        writer_.loop(at.batch, [&](LoopId each) { read_scores(at, each, out); });
    }

    void read_scores(const Position& at, LoopId each, std::uint8_t out) {
        const std::int64_t channels = options_.channels;
        const std::int64_t of_query = channels * layout_.groups();
        const std::int64_t of_row = own_ ? channels * layout_.slots() : 0;
        const std::uint32_t first = at.first_row * layout_.slots() * options_.channels +
                                    at.first_query * layout_.groups() * options_.channels;
        writer_.add({.opcode = Opcode::rd_mac,
                     .written = out,
                     .mask = mask_,
                     .gpr = layout_.scores_gpr() + (own_ ? first : 0)},
                    {{at.row, Operand::gpr, of_row},
                     {at.slot, Operand::gpr, own_ ? channels : 0},
                     {at.query, Operand::gpr, own_ ? of_query : 0},
                     {each, Operand::gpr, own_ ? of_query : channels},
                     {each, Operand::out, 1}});
    }

    const QkLayout& layout_;
    const QkOptions& options_;
    std::uint32_t mask_;
    std::uint32_t queries_;
    bool own_;
    KernelWriter writer_;
};

}  // namespace

Result<QkKernel> make_qk(const QkShape& shape, const QkOptions& options) {
    MEMSIDE_CHECK(check_size("the head dimension", shape.head_dim, max_head_dim));
    MEMSIDE_CHECK(check_size("the number of tokens", shape.tokens, max_tokens));
    MEMSIDE_CHECK(check_size("the number of queries", shape.queries, max_queries));
    MEMSIDE_CHECK(check_size("the number of channels", options.channels, channel_count));
    QkKernel kernel{.program = {}, .layout = {shape, options}};
    const QkLayout& layout = kernel.layout;
    const bool own = options.registers == Registers::own;
    const std::uint64_t results =
        std::uint64_t{shape.queries} * options.channels * (own ? layout.groups() : 1);
    const std::uint64_t operands = std::uint64_t{shape.queries} * layout.tiles() + 1;
    MEMSIDE_CHECK(check_room(options, layout.rows(), operands + results));
    kernel.program = QkWriter(layout, options).write();
    return kernel;
}

void place_keys(const QkLayout& layout, std::span<const Bf16> keys, Memory& memory) {
    const std::size_t width = layout.shape.head_dim;
    assert(keys.size() == width * layout.shape.tokens);
    const Dealing dealing{layout.options.channels};
    const std::uint32_t padded = layout.groups() * dealing.per_group();
    for (std::uint32_t token = 0; token < padded; ++token) {
        const std::uint32_t group = dealing.group(token);
        const Place first{.space = Space::bank,
                          .channel = dealing.channel(token),
                          .bank = dealing.bank(token),
                          .row = layout.options.first_row + group / layout.slots(),
                          .entry = group % layout.slots() * layout.tiles()};
        const bool real = token < layout.shape.tokens;
        place_in_row(real ? keys.subspan(token * width, width) : std::span<const Bf16>(),
                     layout.tiles(), first, memory);
    }
}

void place_queries(const QkLayout& layout, std::span<const Bf16> queries, Memory& memory) {
    const std::size_t width = layout.shape.head_dim;
    assert(queries.size() == width * layout.shape.queries);
    for (std::uint32_t q = 0; q < layout.shape.queries; ++q) {
        place_in_gprs(queries.subspan(q * width, width), layout.tiles(),
                      layout.queries_gpr() + q * layout.tiles(), memory);
    }
    place_in_gprs({}, 1, layout.bias_gpr(), memory);
}

std::vector<Bf16> gather_scores(const QkLayout& layout, const Memory& memory) {
    assert(layout.options.registers == Registers::own);
    std::vector<Bf16> scores;
    for (std::uint32_t q = 0; q < layout.shape.queries; ++q) {
        const std::uint32_t first =
            layout.scores_gpr() + q * layout.groups() * layout.options.channels;
        const std::vector<Bf16> one = gather_gprs(first, layout.shape.tokens, memory);
        scores.insert(scores.end(), one.begin(), one.end());
    }
    return scores;
}

}  // namespace memside::pim
