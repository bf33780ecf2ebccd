// SV of a block: the weights of a row go into GBuf, every class of channels its own token tiles;
// the accumulators keep the sums over all rows of the block, in FP32.
#include "compiler/plan/attention_code.h"

namespace memside::compiler {
namespace {

using pim::HubInstruction;
using pim::HubOp;
using pim::Opcode;

class SumsWriter {
  public:
    SumsWriter(const AttentionPlan& plan, std::uint32_t region, LoopId block, CodeWriter& writer)
        : plan_(plan),
          region_(region),
          block_(block),
          writer_(writer),
          mask_(plan.values.mask()),
          passes_(plan.values.passes()) {}

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
        for (const QuerySet& set : plan_.query_sets()) write_accumulate(set);
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
        writer_.token_loop(plan_.values.row_tokens(), [&](LoopId row) {
            writer_.loop(count_, [&](LoopId query) {
                write_weights(row, query);
                writer_.loop(passes,
                             [&](LoopId pass) { multiply(first_pass, passes, row, query, pass); });
            });
        });
        each_sum(passes, [&](LoopId query, LoopId pass) {
            const std::int64_t width = plan_.partial_width();
            writer_.add({.instruction = {.opcode = Opcode::rd_mac,
                                         .written = pim::optional_out,
                                         .mask = mask_,
                                         .gpr = plan_.partials() + (first_ * passes_ + first_pass) *
                                                                       plan_.partial_width()}},
                        {{batch_, Operand::gpr, plan_.sum_batch * passes_ * width},
                         {query, Operand::gpr, passes_ * width},
                         {pass, Operand::gpr, width},
                         {query, Operand::out, passes},
                         {pass, Operand::out, 1}});
        });
    }

    template <typename Body>
    void each_sum(std::uint32_t passes, const Body& body) {
        writer_.loop(count_, [&](LoopId query) {
            writer_.loop(passes, [&](LoopId pass) { body(query, pass); });
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
    std::uint32_t mask_;
    std::uint32_t passes_;
    LoopId batch_ = no_loop;
    std::uint32_t first_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace

void write_sums(const AttentionPlan& plan, std::uint32_t region, LoopId block, CodeWriter& writer) {
    SumsWriter(plan, region, block, writer).write();
}

}  // namespace memside::compiler
