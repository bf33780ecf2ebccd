// QK^T of a block: queries stay in GBuf, their scores of a row collect in the accumulators, so that
// transfers and MACs come in runs.
#include "compiler/plan/attention_code.h"

namespace memside::compiler {
namespace {

using pim::Instruction;
using pim::Opcode;

constexpr auto with_all =
    static_cast<std::uint8_t>(pim::optional_column | pim::optional_gbuf | pim::optional_out);

class ScoresWriter {
  public:
    ScoresWriter(const AttentionPlan& plan, std::uint32_t region, LoopId block, CodeWriter& writer)
        : plan_(plan),
          region_(region),
          block_(block),
          writer_(writer),
          mask_(plan.keys.mask()),
          tiles_(plan.tiles()) {}

    void write() {
        writer_.batches(plan_.shape.group, plan_.query_batch,
                        [this](LoopId batch, std::uint32_t first, std::uint32_t count) {
                            batch_ = batch;
                            first_ = first;
                            count_ = count;
                            write_batch();
                        });
    }

  private:
    // A row of keys, and within it the keys whose scores the accumulators hold together.
    void write_batch() {
        write_queries();
        writer_.token_loop(plan_.keys.row_tokens(), [&](LoopId row) {
            if (plan_.slot_batch == plan_.keys.slots()) return write_part(row, no_loop);
            writer_.token_loop(plan_.slot_batch * plan_.keys.granule(),
                               [&](LoopId part) { write_part(row, part); });
        });
    }

    // Each head's channels get that head's queries.
    void write_queries() {
        for (unsigned head = 0; head < plan_.keys.heads; ++head) {
            const std::uint32_t before = head * plan_.shape.group + first_;
            writer_.add({.instruction = {.opcode = Opcode::wr_gb,
                                         .opsize = count_ * tiles_,
                                         .mask = plan_.keys.head_mask(head),
                                         .gpr = plan_.registers.query + before * tiles_}},
                        {{batch_, Operand::gpr, plan_.query_batch * tiles_}});
        }
    }

    // Calls body(query, slot) in the loops over both.
    template <typename Body>
    void each_score(const Body& body) {
        writer_.loop(count_, [&](LoopId query) {
            if (plan_.slot_batch == 1) return body(query, no_loop);
            writer_.token_loop(plan_.keys.granule(), [&](LoopId slot) { body(query, slot); });
        });
    }

    void write_part(LoopId row, LoopId part) {
        if (plan_.options.order == CommandOrder::score_by_score) {
            return each_score([&](LoopId query, LoopId slot) {
                write_bias(query, slot);
                multiply(row, part, query, slot);
                read(row, part, query, slot);
            });
        }
        each_score([&](LoopId query, LoopId slot) { write_bias(query, slot); });
        each_score([&](LoopId query, LoopId slot) { multiply(row, part, query, slot); });
        each_score([&](LoopId query, LoopId slot) { read(row, part, query, slot); });
    }

    void write_bias(LoopId query, LoopId slot) {
        writer_.add({.instruction = {.opcode = Opcode::wr_bias,
                                     .written = pim::optional_out,
                                     .mask = mask_,
                                     .gpr = plan_.registers.zero}},
                    {{query, Operand::out, plan_.slot_batch}, {slot, Operand::out, 1}});
    }

    void multiply(LoopId row, LoopId part, LoopId query, LoopId slot) {
        writer_.add({.instruction = {.opcode = Opcode::mac_abk,
                                     .written = with_all,
                                     .opsize = tiles_,
                                     .mask = mask_},
                     .region = region_},
                    {{block_, Operand::row, plan_.block_tokens / plan_.keys.row_tokens()},
                     {row, Operand::row, 1},
                     {part, Operand::column, plan_.slot_batch * tiles_},
                     {slot, Operand::column, tiles_},
                     {query, Operand::gbuf, tiles_},
                     {query, Operand::out, plan_.slot_batch},
                     {slot, Operand::out, 1}});
    }

    // In token order of each query, 16 tokens a tile; heads in lockstep lie side by side.
    void read(LoopId row, LoopId part, LoopId query, LoopId slot) {
        const std::int64_t width = plan_.score_width();
        const std::int64_t of_query = plan_.query_scores();
        writer_.add({.instruction = {.opcode = Opcode::rd_mac,
                                     .written = pim::optional_out,
                                     .mask = mask_,
                                     .gpr = plan_.scores() + first_ * plan_.query_scores()}},
                    {{batch_, Operand::gpr, plan_.query_batch * of_query},
                     {row, Operand::gpr, plan_.keys.slots() * width},
                     {part, Operand::gpr, plan_.slot_batch * width},
                     {query, Operand::gpr, of_query},
                     {slot, Operand::gpr, width},
                     {query, Operand::out, plan_.slot_batch},
                     {slot, Operand::out, 1}});
    }

    const AttentionPlan& plan_;
    std::uint32_t region_;
    LoopId block_;
    CodeWriter& writer_;
    std::uint32_t mask_;
    std::uint32_t tiles_;
    LoopId batch_ = no_loop;
    std::uint32_t first_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace

void write_scores(const AttentionPlan& plan, std::uint32_t region, LoopId block,
                  CodeWriter& writer) {
    ScoresWriter(plan, region, block, writer).write();
}

void write_qk(const AttentionPlan& plan, const ScoreLayout& layout, std::uint32_t keys,
              std::uint32_t scores, CodeWriter& writer) {
    const std::int64_t heads = layout.heads;
    const std::int64_t column_tiles = heads * layout.ways;
    const std::int64_t queries = layout.queries;
    writer.token_loop(plan.block_tokens, [&](LoopId block) {
        write_scores(plan, keys, block, writer);
        // A write names one channel: tile after tile of a column of scores.
        const auto write_column = [&](LoopId query, LoopId row, LoopId column) {
            for (unsigned way = 0; way < layout.ways; ++way) {
                for (unsigned head = 0; head < layout.heads; ++head) {
                    writer.add(
                        {.instruction = {.opcode = Opcode::wr_sbk,
                                         .written = pim::optional_column,
                                         .mask = layout.way_mask(head, way),
                                         .gpr = plan.scores() + way * layout.heads + head},
                         .region = scores},
                        {{block, Operand::row, plan.block_tokens / layout.row_tokens() * queries},
                         {row, Operand::row, queries},
                         {query, Operand::row, 1},
                         {column, Operand::column, 1},
                         {query, Operand::gpr, plan.query_scores()},
                         {row, Operand::gpr, layout.columns * column_tiles},
                         {column, Operand::gpr, column_tiles}});
                }
            }
        };
        writer.loop(layout.queries, [&](LoopId query) {
            writer.token_loop(layout.row_tokens(), [&](LoopId row) {
                writer.token_loop(layout.column_tokens(),
                                  [&](LoopId column) { write_column(query, row, column); });
            });
        });
    });
}

}  // namespace memside::compiler
