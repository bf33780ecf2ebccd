#include "pim/dynamic/attention_program.h"

#include <cmath>
#include <numeric>

namespace memside::pim {
namespace {

using Operand = Stride::Operand;

class Writer {
  public:
    explicit Writer(const AttentionLayout& layout) : at_(layout) {
        program_.model = "attention by hand";
        program_.target = at_.shape.hfp ? "HFP" : "TCP";
        program_.channels = at_.shape.channels;
        program_.chunk_rows = at_.shape.chunk_rows;
        program_.max_tokens = at_.shape.max_tokens;
        program_.block_tokens = at_.block_tokens();
        program_.regions = {{"keys", 0, true, 0}, {"values", 0, true, 0}};
    }

    DynamicProgram write() {
        append();
        entry("append", OpType::append);
        attention();
        entry("attention", OpType::attention);
        return program_;
    }

  private:
    void add(DynamicItem item) { program_.items.push_back(std::move(item)); }

    void entry(const char* name, OpType type) {
        std::uint32_t first = 0;
        for (const ExecutionEntry& before : program_.entries) first += before.item_count;
        const auto count = static_cast<std::uint32_t>(program_.items.size()) - first;
        program_.entries.push_back(
            {name, type, at_.shape.hfp ? Partitioning::head : Partitioning::token,
             Communication::none, 0, channel_mask(at_.shape.channels), first, count, 0});
    }

    HubInstruction hub(HubOp op) const {
        HubInstruction made;
        made.op = op;
        made.head_dim = at_.shape.head_dim;
        return made;
    }

    void append() {
        HubInstruction key = hub(HubOp::append_key);
        key.gpr = at_.key_gpr();
        key.query_stride = at_.tiles();
        key.heads = at_.shape.heads;
        key.ways = at_.keys.ways;
        add(DynamicItem::of(key));
        HubInstruction value = key;
        value.op = HubOp::append_value;
        value.gpr = at_.value_gpr();
        value.gpr2 = at_.scratch_gpr();
        value.region = 1;
        add(DynamicItem::of(value));
    }

    void attention() {
        HubInstruction zero = hub(HubOp::fill);
        zero.gpr_out = at_.zero_gpr();
        zero.tiles = 1;
        zero.scale = 0;
        add(DynamicItem::of(zero));
        HubInstruction start = hub(HubOp::softmax_start);
        start.queries = at_.all_queries();
        add(DynamicItem::of(start));
        add(DynamicItem::token_loop(at_.block_tokens()));
        scores();
        softmax();
        sums();
        accumulate();
        add(DynamicItem::end());
        HubInstruction finish = hub(HubOp::softmax_finish);
        finish.queries = at_.all_queries();
        finish.gpr_out = at_.results_gpr();
        finish.out_query_stride = at_.tiles();
        add(DynamicItem::of(finish));
    }

    void scores() {
        const KvLayout& keys = at_.keys;
        const std::uint32_t tiles = at_.tiles();
        const auto step = static_cast<std::int32_t>(at_.shape.heads * keys.ways);
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            for (unsigned h = 0; h < at_.shape.heads; ++h) {
                add(DynamicItem::of(
                    {.opcode = Opcode::wr_gb,
                     .gbuf = static_cast<std::uint16_t>(j * tiles),
                     .opsize = tiles,
                     .mask = keys.head_mask(h),
                     .gpr = at_.queries_gpr() + (j * at_.shape.heads + h) * tiles}));
            }
        }
        add(DynamicItem::token_loop(keys.row_tokens()));
        add(DynamicItem::token_loop(keys.granule()));
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            add(DynamicItem::of(
                {.opcode = Opcode::wr_bias, .out = j, .mask = keys.mask(), .gpr = at_.zero_gpr()}));
        }
        const auto rows = static_cast<std::int32_t>(at_.block_tokens() / keys.row_tokens());
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            DynamicItem mac =
                DynamicItem::of({.opcode = Opcode::mac_abk,
                                 .written = optional_column | optional_gbuf | optional_out,
                                 .gbuf = static_cast<std::uint16_t>(j * tiles),
                                 .out = j,
                                 .opsize = tiles,
                                 .mask = keys.mask()},
                                {{Operand::column, 1, static_cast<std::int32_t>(tiles)},
                                 {Operand::row, 2, 1},
                                 {Operand::row, 3, rows}});
            mac.virtual_row = true;
            add(mac);
        }
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            add(DynamicItem::of(
                {.opcode = Opcode::rd_mac,
                 .out = j,
                 .mask = keys.mask(),
                 .gpr = at_.scores_gpr() + j * at_.score_tiles()},
                {{Operand::gpr, 1, step},
                 {Operand::gpr, 2, step * static_cast<std::int32_t>(keys.slots())}}));
        }
        add(DynamicItem::end());
        add(DynamicItem::end());
    }

    void softmax() {
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            HubInstruction block = hub(HubOp::softmax_block);
            block.first_query = j * at_.shape.heads;
            block.queries = at_.shape.heads;
            block.gpr = at_.scores_gpr() + j * at_.score_tiles();
            block.query_stride = 1;
            block.tile_stride = at_.shape.heads;
            block.gpr_out = at_.weights_gpr() + block.first_query * at_.weight_tiles();
            block.out_query_stride = at_.weight_tiles();
            block.classes = at_.values.classes();
            block.class_stride = at_.class_tiles();
            block.granule = at_.values.granule();
            block.window = at_.shape.window;
            block.scale = at_.shape.scale;
            add(DynamicItem::of(block));
        }
    }

    void sums() {
        const KvLayout& values = at_.values;
        const std::uint32_t passes = values.passes();
        for (std::uint32_t out = 0; out < at_.shape.queries * passes; ++out) {
            add(DynamicItem::of({.opcode = Opcode::wr_bias,
                                 .out = out,
                                 .mask = values.mask(),
                                 .gpr = at_.zero_gpr()}));
        }
        const std::uint32_t rows = at_.block_tokens() / values.row_tokens() * passes;
        add(DynamicItem::token_loop(values.row_tokens()));
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            weights(j);
            for (std::uint32_t pass = 0; pass < passes; ++pass) {
                DynamicItem mac =
                    DynamicItem::of({.opcode = Opcode::mac_abk,
                                     .out = j * passes + pass,
                                     .mask = values.mask(),
                                     .row = pass},
                                    {{Operand::row, 1, static_cast<std::int32_t>(passes)},
                                     {Operand::row, 2, static_cast<std::int32_t>(rows)}});
                mac.virtual_row = true;
                mac.region = 1;
                mac.opsize_span = values.granule();
                add(mac);
            }
        }
        add(DynamicItem::end());
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            for (std::uint32_t pass = 0; pass < passes; ++pass) {
                add(DynamicItem::of({.opcode = Opcode::rd_mac,
                                     .out = j * passes + pass,
                                     .mask = values.mask(),
                                     .gpr = at_.partials_gpr() + j * at_.partial_tiles() +
                                            pass * at_.shape.heads * values.used_ways()}));
            }
        }
    }

    void weights(std::uint32_t j) {
        const KvLayout& values = at_.values;
        for (unsigned h = 0; h < at_.shape.heads; ++h) {
            for (std::uint32_t c = 0; c < values.classes(); ++c) {
                DynamicItem write = DynamicItem::of(
                    {.opcode = Opcode::wr_gb,
                     .mask = values.class_mask(h, c),
                     .gpr = at_.weights_gpr() + (j * at_.shape.heads + h) * at_.weight_tiles() +
                            c * at_.class_tiles()},
                    {{Operand::gpr, 1, columns_per_row}});
                write.opsize_span = values.granule();
                add(write);
            }
        }
    }

    void accumulate() {
        for (std::uint32_t j = 0; j < at_.shape.queries; ++j) {
            HubInstruction sum = hub(HubOp::accumulate);
            sum.first_query = j * at_.shape.heads;
            sum.queries = at_.shape.heads;
            sum.gpr = at_.partials_gpr() + j * at_.partial_tiles();
            sum.query_stride = 1;
            sum.tile_stride = at_.shape.heads;
            sum.parts = at_.values.classes();
            sum.part_stride = at_.tiles();
            add(DynamicItem::of(sum));
        }
    }

    const AttentionLayout& at_;
    DynamicProgram program_;
};

}  // namespace

AttentionLayout::AttentionLayout(const AttentionShape& given) : shape(given) {
    const unsigned ways = shape.hfp ? 1 : shape.channels;
    keys = {KvKind::key, shape.head_dim, shape.channels, ways, shape.heads};
    values = {KvKind::value, shape.head_dim, shape.channels, ways, shape.heads};
    if (shape.scale == 0) shape.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
}

std::uint32_t AttentionLayout::block_tokens() const {
    return std::lcm(keys.row_tokens(), values.row_tokens());
}

DynamicProgram attention_program(const AttentionLayout& layout) {
    return canonical(Writer(layout).write());
}

}  // namespace memside::pim
