#include "compiler/plan/gemv_plan.h"

#include "pim/instruction_table.h"

namespace memside::compiler {
namespace {

using pim::Opcode;

constexpr std::uint32_t max_size = 1U << 24;  // far beyond a module's rows

class GemvCode {
  public:
    GemvCode(const GemvPlan& plan, std::uint32_t region, CodeWriter& writer)
        : plan_(plan),
          region_(region),
          writer_(writer),
          mask_(pim::channel_mask(plan.layout.options.channels)) {}

    void write() {
        writer_.batches(plan_.layout.groups(), plan_.accumulators,
                        [this](LoopId batch, std::uint32_t first, std::uint32_t count) {
                            batch_ = batch;
                            first_ = first;
                            count_ = count;
                            write_batch();
                        });
    }

  private:
    void write_batch() {
        writer_.loop(count_, [&](LoopId group) {
            writer_.add({.instruction = {.opcode = Opcode::wr_bias,
                                         .written = pim::optional_out,
                                         .mask = mask_,
                                         .gpr = plan_.zero_gpr}},
                        {{group, Operand::out, 1}});
        });
        writer_.batches(plan_.layout.tiles(), pim::columns_per_row,
                        [this](LoopId chunk, std::uint32_t first, std::uint32_t tiles) {
                            write_x(chunk, first, tiles);
                            multiply(chunk, first / pim::columns_per_row, tiles);
                        });
        writer_.loop(count_, [&](LoopId group) {
            const std::int64_t channels = plan_.layout.options.channels;
            writer_.add(
                {.instruction = {.opcode = Opcode::rd_mac,
                                 .written = pim::optional_out,
                                 .mask = mask_,
                                 .gpr = plan_.y_gpr + first_ * plan_.layout.options.channels}},
                {{batch_, Operand::gpr, plan_.accumulators * channels},
                 {group, Operand::gpr, channels},
                 {group, Operand::out, 1}});
        });
    }

    void write_x(LoopId chunk, std::uint32_t first, std::uint32_t tiles) {
        writer_.batches(tiles, plan_.transfer_tiles,
                        [&](LoopId transfer, std::uint32_t before, std::uint32_t count) {
                            const std::int64_t some = plan_.transfer_tiles;
                            writer_.add({.instruction = {.opcode = Opcode::wr_gb,
                                                         .written = pim::optional_gbuf,
                                                         .gbuf = static_cast<std::uint16_t>(before),
                                                         .opsize = count,
                                                         .mask = mask_,
                                                         .gpr = plan_.x_gpr + first + before}},
                                        {{chunk, Operand::gpr, pim::columns_per_row},
                                         {transfer, Operand::gpr, some},
                                         {transfer, Operand::gbuf, some}});
                        });
    }

    void multiply(LoopId chunk, std::uint32_t first_chunk, std::uint32_t tiles) {
        const std::uint32_t groups = plan_.layout.groups();
        writer_.loop(count_, [&](LoopId group) {
            writer_.add({.instruction = {.opcode = Opcode::mac_abk,
                                         .written = pim::optional_out,
                                         .opsize = tiles,
                                         .mask = mask_,
                                         .row = first_chunk * groups + first_},
                         .region = region_},
                        {{batch_, Operand::row, plan_.accumulators},
                         {chunk, Operand::row, groups},
                         {group, Operand::row, 1},
                         {group, Operand::out, 1}});
        });
    }

    const GemvPlan& plan_;
    std::uint32_t region_;
    CodeWriter& writer_;
    std::uint32_t mask_;
    LoopId batch_ = no_loop;
    std::uint32_t first_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace

Result<GemvPlan> plan_gemv(const pim::GemvShape& shape, unsigned channels, GemvPlan wanted) {
    MEMSIDE_CHECK(pim::check_size("the number of outputs", shape.rows, max_size));
    MEMSIDE_CHECK(pim::check_size("the number of inputs", shape.columns, max_size));
    MEMSIDE_CHECK(pim::check_size("the number of channels", channels, pim::channel_count));
    MEMSIDE_CHECK(
        pim::check_size("the number of accumulators", wanted.accumulators, pim::out_entries));
    MEMSIDE_CHECK(
        pim::check_size("the tiles of a transfer", wanted.transfer_tiles, pim::gbuf_entries));
    wanted.layout.shape = shape;
    wanted.layout.options = {};
    wanted.layout.options.channels = channels;
    wanted.layout.options.order = pim::GemvOrder::chunk_outer;
    const std::uint64_t last = std::max(std::uint64_t{wanted.x_gpr} + wanted.layout.tiles(),
                                        std::uint64_t{wanted.y_gpr} + wanted.y_tiles());
    if (last > pim::gpr_entries) {
        return bad_input("linear",
                         fmt::format("{} outputs of {} inputs end at GPR {}; a module has "
                                     "{}",
                                     shape.rows, shape.columns, last, pim::gpr_entries));
    }
    return wanted;
}

void write_gemv(const GemvPlan& plan, std::uint32_t region, CodeWriter& writer) {
    GemvCode(plan, region, writer).write();
}

void write_vector_load(const VectorSlot& slot, std::uint32_t tiles, std::uint32_t gpr,
                       unsigned channels, std::uint32_t region, CodeWriter& writer) {
    writer.batches(tiles, channels, [&](LoopId loop, std::uint32_t first, std::uint32_t count) {
        // The first `count` channels of those of the program.
        const std::uint32_t mask =
            pim::channel_mask(channels) & ~pim::channel_mask(channels - count);
        writer.add({.instruction = {.opcode = Opcode::rd_sbk,
                                    .bank = static_cast<std::uint8_t>(slot.bank),
                                    .written = pim::optional_column,
                                    .column = static_cast<std::uint16_t>(first / channels),
                                    .mask = count == channels ? pim::channel_mask(channels) : mask,
                                    .row = slot.row,
                                    .gpr = gpr + first},
                    .region = region},
                   {{loop, Operand::column, 1}, {loop, Operand::gpr, channels}});
    });
}

void place_vector(const VectorSlot& slot, std::span<const pim::Bf16> values, unsigned channels,
                  std::uint32_t first_row, pim::Memory& memory) {
    for (std::uint32_t i = 0; i < pim::units(values.size(), pim::lanes); ++i) {
        const std::size_t first = std::size_t{i} * pim::lanes;
        pim::place_in_row(
            values.subspan(first, std::min<std::size_t>(pim::lanes, values.size() - first)), 1,
            {.space = pim::Space::bank,
             .channel = pim::channel_at(channels, i % channels),
             .bank = slot.bank,
             .row = first_row + slot.row,
             .entry = i / channels},
            memory);
    }
}

}  // namespace memside::compiler
