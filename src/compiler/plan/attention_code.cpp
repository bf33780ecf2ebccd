#include "compiler/plan/attention_code.h"

namespace memside::compiler {
namespace {

using pim::HubInstruction;
using pim::HubOp;

HubInstruction of_set(HubOp op, const QuerySet& set) {
    HubInstruction hub;
    hub.op = op;
    hub.state = set.state;
    hub.first_query = set.first_query;
    hub.queries = set.queries;
    return hub;
}

void write_start(const AttentionPlan& plan, CodeWriter& writer) {
    for (const QuerySet& set : plan.query_sets()) {
        HubInstruction hub = of_set(HubOp::softmax_start, set);
        hub.head_dim = plan.shape.head_dim;
        writer.add(hub);
    }
}

void write_finish(const AttentionPlan& plan, CodeWriter& writer) {
    for (const QuerySet& set : plan.query_sets()) {
        HubInstruction hub = of_set(HubOp::softmax_finish, set);
        hub.head_dim = plan.shape.head_dim;
        hub.gpr_out = plan.registers.output + set.output;
        hub.out_query_stride = set.output_stride;
        hub.choice = plan.registers.parts ? 1 : 0;
        writer.add(hub);
    }
}

}  // namespace

void write_attention(const AttentionPlan& plan, const KvRegions& regions, CodeWriter& writer) {
    write_start(plan, writer);
    writer.token_loop(plan.block_tokens, [&](LoopId block) {
        write_scores(plan, regions.keys, block, writer);
        write_softmax(plan, writer);
        write_sums(plan, regions.values, block, writer);
    });
    write_finish(plan, writer);
}

void write_combine(const TokenExchange& exchange, const AttentionPlan& plan, std::uint32_t output,
                   CodeWriter& writer) {
    HubInstruction hub;
    hub.op = HubOp::combine;
    hub.queries = exchange.queries;
    hub.head_dim = plan.shape.head_dim;
    hub.gpr = exchange.received;
    hub.query_stride = plan.output_tiles();
    hub.parts = exchange.modules;
    hub.part_stride = exchange.output_tiles;
    hub.gpr_out = output;
    hub.out_query_stride = plan.tiles();
    writer.add(hub);
}

void write_softmax(const AttentionPlan& plan, CodeWriter& writer) {
    for (const QuerySet& set : plan.query_sets()) {
        HubInstruction hub = of_set(HubOp::softmax_block, set);
        hub.gpr = plan.scores() + set.scores;
        hub.query_stride = set.score_stride;
        hub.tile_stride = set.score_tile_stride;
        hub.gpr_out = hub.gpr;
        hub.out_query_stride = set.weight_stride;
        hub.classes = plan.values.classes();
        hub.class_stride = plan.class_stride();
        hub.granule = plan.values.granule();
        hub.window = plan.shape.window;
        hub.scale = plan.shape.scale;
        writer.add(hub);
    }
}

void write_append(const AttentionPlan& plan, pim::KvKind kind, std::uint32_t region,
                  std::uint32_t gpr, CodeWriter& writer) {
    HubInstruction hub;
    hub.op = kind == pim::KvKind::key ? HubOp::append_key : HubOp::append_value;
    hub.gpr = gpr;
    hub.gpr2 = kind == pim::KvKind::value ? plan.registers.scratch : 0;
    hub.query_stride = plan.tiles();
    hub.head_dim = plan.shape.head_dim;
    hub.heads = plan.shape.kv_heads;
    hub.ways = plan.keys.ways;
    hub.region = region;
    writer.add(hub);
}

}  // namespace memside::compiler
