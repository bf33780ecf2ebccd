// SV of a block: the weights of a row go into GBuf, every class of channels its own token tiles;
// the accumulators keep the sums over all rows of the block, in FP32.
#include "compiler/plan/attention_code.h"

namespace memside::compiler {
namespace {

using pim::HubInstruction;
using pim::HubOp;
using pim::Opcode;

// Weights that come from the banks, a row of values of one query at a time.
struct WeightsInBanks {
    ScoreLayout layout;
    std::uint32_t region = 0;
};

class SumsWriter {
  public:
    SumsWriter(const AttentionPlan& plan, std::uint32_t region, LoopId block, CodeWriter& writer,
               const WeightsInBanks* source = nullptr)
        : plan_(plan),
          region_(region),
          block_(block),
          writer_(writer),
          source_(source),
          mask_(plan.values.mask()),
          passes_(plan.values.passes()),
          partials_(source == nullptr ? plan.partials() : plan.scores() + staged_tiles()) {}

    void write() {
        writer_.batches(plan_.shape.group, plan_.sum_batch,
                        [this](LoopId batch, std::uint32_t first, std::uint32_t count) {
                            batch_ = batch;
                            first_ = first;
                            count_ = count;
                            for (std::uint32_t pass = 0; pass < passes_; pass += plan_.pass_batch) {
                                write_passes(pass, std::min(plan_.pass_batch, passes_ - pass));
                            }
                        });
        if (source_ != nullptr) return write_outputs();
        for (const QuerySet& set : plan_.query_sets()) write_accumulate(set);
    }

    // Tiles of weights of a row of values, of one query of every head.
    std::uint32_t staged_tiles() const {
        return plan_.values.row_tokens() / pim::lanes * plan_.shape.kv_heads;
    }

  private:
    // Dimension groups from `first_pass` on, whose sums the accumulators hold together.
    void write_passes(std::uint32_t first_pass, std::uint32_t passes) {
        each_sum(passes, [&](LoopId query, LoopId pass) {
            writer_.add({.instruction = {.opcode = Opcode::wr_bias,
                                         .written = pim::optional_out,
                                         .mask = mask_,
                                         .gpr = plan_.registers.zero}},
                        {{query, Operand::out, passes}, {pass, Operand::out, 1}});
        });
        if (source_ == nullptr) {
            write_rows(first_pass, passes);
        } else {
            writer_.token_loop(plan_.block_tokens, [&](LoopId block) {
                block_ = block;
                write_rows(first_pass, passes);
            });
        }
        each_sum(passes, [&](LoopId query, LoopId pass) {
            const std::int64_t width = plan_.partial_width();
            writer_.add({.instruction = {.opcode = Opcode::rd_mac,
                                         .written = pim::optional_out,
                                         .mask = mask_,
                                         .gpr = partials_ + (first_ * passes_ + first_pass) *
                                                                plan_.partial_width()}},
                        {{batch_, Operand::gpr, plan_.sum_batch * passes_ * width},
                         {query, Operand::gpr, passes_ * width},
                         {pass, Operand::gpr, width},
                         {query, Operand::out, passes},
                         {pass, Operand::out, 1}});
        });
    }

    void write_rows(std::uint32_t first_pass, std::uint32_t passes) {
        writer_.token_loop(plan_.values.row_tokens(), [&](LoopId row) {
            writer_.loop(count_, [&](LoopId query) {
                if (source_ == nullptr) {
                    write_weights(row, query);
                } else {
                    fetch_weights(row, query);
                    deal_weights();
                }
                writer_.loop(passes,
                             [&](LoopId pass) { multiply(first_pass, passes, row, query, pass); });
            });
        });
    }

    template <typename Body>
    void each_sum(std::uint32_t passes, const Body& body) {
        writer_.loop(count_, [&](LoopId query) {
            writer_.loop(passes, [&](LoopId pass) { body(query, pass); });
        });
    }

    // From the banks to the registers, in the order of tokens; heads in lockstep side by side.
    void fetch_weights(LoopId row, LoopId query) {
        const ScoreLayout& layout = source_->layout;
        const std::uint32_t tokens = plan_.values.row_tokens();
        if (layout.row_tokens() >= tokens) return fetch_columns(row, query, no_loop);
        writer_.token_loop(layout.row_tokens(),
                           [&](LoopId part) { fetch_columns(row, query, part); });
    }

    // A row of values is `part` rows of weights, or some columns of one.
    void fetch_columns(LoopId row, LoopId query, LoopId part) {
        const ScoreLayout& layout = source_->layout;
        const std::uint32_t tokens = plan_.values.row_tokens();
        const std::int64_t queries = layout.queries;
        const std::int64_t width = std::int64_t{layout.ways} * layout.heads;
        const bool within = part == no_loop;
        writer_.token_loop(layout.column_tokens(), [&](LoopId column) {
            writer_.add({.instruction = {.opcode = Opcode::rd_sbk,
                                         .written = pim::optional_column,
                                         .mask = layout.mask(),
                                         .row = first_,
                                         .gpr = plan_.scores()},
                         .region = source_->region},
                        {{block_, Operand::row, plan_.block_tokens / layout.row_tokens() * queries},
                         {row, Operand::row, within ? 0 : tokens / layout.row_tokens() * queries},
                         {row, Operand::column, within ? tokens / layout.column_tokens() : 0},
                         {part, Operand::row, queries},
                         {batch_, Operand::row, plan_.sum_batch},
                         {query, Operand::row, 1},
                         {column, Operand::column, 1},
                         {part, Operand::gpr, layout.columns * width},
                         {column, Operand::gpr, width}});
        });
    }

    // Each class of channels its own token tiles, each head its own weights.
    void deal_weights() {
        const std::uint32_t classes = plan_.values.classes();
        const std::uint32_t heads = plan_.values.heads;
        writer_.token_loop(plan_.values.granule(), [&](LoopId position) {
            for (unsigned c = 0; c < classes; ++c) {
                for (unsigned head = 0; head < heads; ++head) {
                    writer_.add({.instruction = {.opcode = Opcode::wr_gb,
                                                 .written = pim::optional_gbuf,
                                                 .mask = plan_.values.class_mask(head, c),
                                                 .gpr = plan_.scores() + c * heads + head}},
                                {{position, Operand::gpr, std::int64_t{classes} * heads},
                                 {position, Operand::gbuf, 1}});
                }
            }
        });
    }

    // Sums of all classes, and a head's tiles side by side.
    void write_outputs() {
        const std::int64_t tiles = plan_.tiles();
        const std::int64_t of_query = std::int64_t{passes_} * plan_.partial_width();
        HubInstruction hub;
        hub.gpr = partials_;
        hub.gpr_out = plan_.registers.output;
        writer_.loop(plan_.shape.group, [&](LoopId query) {
            if (plan_.options.partition == HeadPartition::tcp) {
                hub.op = HubOp::reduce;
                hub.parts = plan_.values.classes();
                hub.part_stride = plan_.tiles();
                hub.tiles = plan_.tiles();
                writer_.add(hub, {{query, Operand::gpr, of_query}, {query, Operand::out, tiles}});
                return;
            }
            hub.op = HubOp::copy;
            hub.tiles = 1;
            const std::int64_t heads = plan_.shape.kv_heads;
            writer_.loop(plan_.shape.kv_heads, [&](LoopId head) {
                writer_.loop(plan_.tiles(), [&](LoopId tile) {
                    writer_.add(hub, {{query, Operand::gpr, of_query},
                                      {query, Operand::out, tiles},
                                      {head, Operand::gpr, 1},
                                      {head, Operand::out, plan_.shape.group * tiles},
                                      {tile, Operand::gpr, heads},
                                      {tile, Operand::out, 1}});
                });
            });
        });
    }

    // In transfers that a channel's queue takes in at once, channel after channel.
    void write_weights(LoopId row, LoopId query) {
        const std::uint32_t granule = plan_.values.granule();
        const std::uint32_t some = plan_.options.transfer_tiles;
        if (some == pim::columns_per_row) return write_transfers(row, query, no_loop);
        writer_.token_loop(some * granule,
                           [&](LoopId transfer) { write_transfers(row, query, transfer); });
    }

    void write_transfers(LoopId row, LoopId query, LoopId transfer) {
        const std::int64_t some = plan_.options.transfer_tiles;
        const std::int64_t of_query = plan_.query_scores();
        for (unsigned head = 0; head < plan_.values.heads; ++head) {
            for (unsigned c = 0; c < plan_.values.classes(); ++c) {
                const std::uint32_t before = first_ * plan_.query_scores() +
                                             head * plan_.block_tiles() + c * plan_.class_stride();
                writer_.add({.instruction = {.opcode = Opcode::wr_gb,
                                             .written = pim::optional_gbuf,
                                             .mask = plan_.values.class_mask(head, c),
                                             .gpr = plan_.scores() + before},
                             .opsize_span = plan_.values.granule()},
                            {{batch_, Operand::gpr, plan_.sum_batch * of_query},
                             {row, Operand::gpr, pim::columns_per_row},
                             {query, Operand::gpr, of_query},
                             {transfer, Operand::gpr, some},
                             {transfer, Operand::gbuf, some}});
            }
        }
    }

    void multiply(std::uint32_t first_pass, std::uint32_t passes, LoopId row, LoopId query,
                  LoopId pass) {
        const std::int64_t of_block =
            plan_.block_tokens / plan_.values.row_tokens() * std::int64_t{passes_};
        writer_.add({.instruction = {.opcode = Opcode::mac_abk,
                                     .written = pim::optional_out,
                                     .mask = mask_,
                                     .row = first_pass},
                     .region = region_,
                     .opsize_span = plan_.values.granule()},
                    {{block_, Operand::row, of_block},
                     {row, Operand::row, passes_},
                     {pass, Operand::row, 1},
                     {query, Operand::out, passes},
                     {pass, Operand::out, 1}});
    }

    // The EPU adds up what the classes have, in FP32, and takes in the block.
    void write_accumulate(const QuerySet& set) {
        HubInstruction hub;
        hub.op = HubOp::accumulate;
        hub.state = set.state;
        hub.first_query = set.first_query;
        hub.queries = set.queries;
        hub.gpr = plan_.partials() + set.partials;
        hub.query_stride = set.partial_stride;
        hub.tile_stride = set.partial_tile_stride;
        hub.parts = plan_.values.classes();
        hub.part_stride = plan_.tiles();
        hub.head_dim = plan_.shape.head_dim;
        writer_.add(hub);
    }

    const AttentionPlan& plan_;
    std::uint32_t region_;
    LoopId block_;
    CodeWriter& writer_;
    const WeightsInBanks* source_;  // null: they are in the registers, as softmax left them
    std::uint32_t mask_;
    std::uint32_t passes_;
    std::uint32_t partials_;
    LoopId batch_ = no_loop;
    std::uint32_t first_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace

void write_sums(const AttentionPlan& plan, std::uint32_t region, LoopId block, CodeWriter& writer) {
    SumsWriter(plan, region, block, writer).write();
}

void write_sv(const AttentionPlan& plan, const ScoreLayout& layout, std::uint32_t weights,
              std::uint32_t values, CodeWriter& writer) {
    const WeightsInBanks source{layout, weights};
    SumsWriter code(plan, values, no_loop, writer, &source);
    // Channels get whole granules of values; tiles of weights past the last column are read as
    // well.
    if (layout.ways % plan.values.classes() != 0) {
        HubInstruction fill;
        fill.op = HubOp::fill;
        fill.gpr_out = plan.scores();
        fill.tiles = code.staged_tiles();
        fill.scale = 0;
        writer.add(fill);
    }
    code.write();
}

}  // namespace memside::compiler
