// The scan of digests: scores of keys of twice the head dimension, and the hub's sum over queries.
#include "compiler/encode/item_writer.h"
#include "compiler/plan/attention_code.h"
#include "compiler/plan/selected_attention.h"

namespace memside::compiler {
namespace {

// The last piece's sums are of its own pages alone.
class Trimmed : public pim::Sink {
  public:
    explicit Trimmed(pim::Sink& sink) : sink_(sink) {}

    Status instruction(const pim::Instruction& instruction) override {
        return sink_.instruction(instruction);
    }
    Status hub(const pim::HubCall& call) override {
        pim::HubCall trimmed = call;
        trimmed.hub.tiles = pim::units(call.tokens, pim::lanes);
        return sink_.hub(trimmed);
    }

  private:
    pim::Sink& sink_;
};

}  // namespace

Result<AttentionPlan> plan_digest_scan(std::uint32_t group, std::uint32_t head_dim,
                                       const AttentionOptions& options,
                                       const AttentionRegisters& registers) {
    AttentionShape shape;
    shape.group = group;
    shape.head_dim = 2 * head_dim;
    return plan_attention(shape, 1, options, registers);
}

Status write_digest_scan(const AttentionPlan& scan, std::uint64_t pages,
                         const pim::RowTable& digests, pim::Sink& sink) {
    ItemWriter writer;
    writer.token_loop(scan.block_tokens, [&](LoopId block) {
        write_scores(scan, 0, block, writer);
        pim::HubInstruction sum;
        sum.op = pim::HubOp::reduce;
        sum.gpr = scan.scores();
        sum.parts = scan.shape.group;
        sum.part_stride = scan.query_scores();
        sum.gpr_out = sum.gpr;
        sum.tiles = scan.block_tiles();
        writer.add(sum);
    });
    pim::DynamicProgram program;
    program.regions = {{"digests", 0, true, 0}};
    program.items = std::move(writer).finish();
    program.block_tokens = scan.block_tokens;
    pim::ExecutionEntry entry;
    entry.name = "digest scan";
    entry.op_type = pim::OpType::attention;
    entry.partitioning = pim::Partitioning::token;
    entry.channel_mask = scan.keys.mask();
    entry.item_count = static_cast<std::uint32_t>(program.items.size());
    program.entries.push_back(entry);
    MEMSIDE_CHECK(pim::validate(program, "digest scan"));
    Trimmed trimmed(sink);
    const std::vector<pim::RowTable> tables{digests};
    return pim::Expander(program).run_all(pages, tables, trimmed);
}

}  // namespace memside::compiler
