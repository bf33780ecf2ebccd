#include "compiler/encode/attention_program.h"

#include "compiler/encode/item_writer.h"
#include "compiler/plan/attention_code.h"
#include "compiler/plan/register_map.h"

namespace memside::compiler {
namespace {

// Who has which registers at each operation, as decode-tile gives them: those of an operand are
// free after its last use.
struct Places {
    RegisterRange query, key, value, output;
    RegisterRange scratch_of_values;  // of the append
    RegisterRange scratch;
};

Result<Places> place(const AttentionShape& shape) {
    const std::uint32_t vector = pim::units(shape.head_dim, pim::lanes);
    const std::uint32_t queries = shape.kv_heads * shape.group * vector;
    const std::uint32_t keys = shape.kv_heads * vector;
    RegisterMap map;
    Places places;
    MEMSIDE_CHECK(map.take(1, "zeros"));
    MEMSIDE_TRY(places.query, map.take(queries, "attention"));
    MEMSIDE_TRY(places.key, map.take(keys, "attention"));
    MEMSIDE_TRY(places.value, map.take(keys, "attention"));
    map.give(places.key);
    places.scratch_of_values = map.largest();
    map.give(places.value);
    MEMSIDE_TRY(places.output, map.take(queries, "attention"));
    places.scratch = map.largest();
    return places;
}

class ProgramWriter {
  public:
    ProgramWriter(const std::string& model, const AttentionOptions& options) {
        tcp_ = options.partition == HeadPartition::tcp;
        program_.model = model;
        program_.target = tcp_ ? "aim tcp" : "aim hfp";
        program_.channels = options.channels;
        program_.chunk_rows = pim::chunk_rows_for(options.channels);
    }

    pim::DynamicProgram write(const std::vector<HeadRound>& rounds, const Places& places) && {
        const auto count = static_cast<std::uint32_t>(rounds.size());
        const std::uint32_t channels = pim::channel_mask(program_.channels);
        program_.block_tokens = rounds.front().plan.block_tokens;
        for (const HeadRound& round : rounds) {
            add_region("cache 3 key", round, round.plan.keys);
        }
        for (const HeadRound& round : rounds) {
            add_region("cache 4 value", round, round.plan.values);
        }
        write_zeros();
        end_entry("zeros", pim::OpType::other, pim::Partitioning::copy, 0);
        append(rounds, pim::KvKind::key, 0, places.key, {});
        end_entry("0 append key", pim::OpType::append, pim::Partitioning::head, channels);
        append(rounds, pim::KvKind::value, count, places.value, places.scratch_of_values);
        end_entry("1 append value", pim::OpType::append, pim::Partitioning::head, channels);
        for (std::uint32_t i = 0; i < count; ++i) {
            write_attention(rounds[i].plan, {i, count + i}, writer_);
            end_entry(fmt::format("{} attention from head {}", i + 2, rounds[i].first_head),
                      pim::OpType::attention,
                      tcp_ ? pim::Partitioning::token : pim::Partitioning::head, channels);
        }
        program_.items = std::move(writer_).finish();
        return std::move(program_);
    }

  private:
    void add_region(std::string_view cache, const HeadRound& round, const pim::KvLayout& layout) {
        pim::Region region;
        region.name = fmt::format("{} from head {}", cache, round.first_head);
        region.per_request = true;
        region.span_tokens = layout.row_tokens();
        region.span_rows = layout.rows_per_step();
        program_.regions.push_back(std::move(region));
    }

    // The tile of zeros that accumulators start from.
    void write_zeros() {
        pim::HubInstruction fill;
        fill.op = pim::HubOp::fill;
        fill.tiles = 1;
        fill.scale = 0;
        writer_.add(fill);
    }

    void append(const std::vector<HeadRound>& rounds, pim::KvKind kind, std::uint32_t first_region,
                const RegisterRange& from, const RegisterRange& scratch) {
        for (std::size_t i = 0; i < rounds.size(); ++i) {
            AttentionPlan plan = rounds[i].plan;
            plan.registers.scratch = scratch.first;
            write_append(plan, kind, first_region + static_cast<std::uint32_t>(i),
                         from.first + rounds[i].first_head * plan.tiles(), writer_);
        }
    }

    void end_entry(std::string name, pim::OpType type, pim::Partitioning partitioning,
                   std::uint32_t mask) {
        pim::ExecutionEntry entry;
        entry.name = std::move(name);
        entry.op_type = type;
        entry.partitioning = partitioning;
        entry.channel_mask = mask;
        entry.first_item = first_item_;
        entry.item_count = static_cast<std::uint32_t>(writer_.size()) - first_item_;
        first_item_ = static_cast<std::uint32_t>(writer_.size());
        program_.entries.push_back(std::move(entry));
    }

    bool tcp_ = true;
    pim::DynamicProgram program_;
    ItemWriter writer_;
    std::uint32_t first_item_ = 0;
};

}  // namespace

Result<pim::DynamicProgram> attention_program(const std::string& model, const AttentionShape& shape,
                                              const AttentionOptions& options,
                                              std::uint32_t in_flight) {
    MEMSIDE_TRY(const Places places, place(shape));
    const AttentionRegisters registers{.query = places.query.first,
                                       .output = places.output.first,
                                       .scratch = places.scratch.first,
                                       .scratch_tiles = places.scratch.tiles / in_flight};
    MEMSIDE_TRY(std::vector<HeadRound> rounds, plan_rounds(shape, options, registers));
    const std::uint32_t states = rounds.front().plan.query_sets().back().state + 1;
    if (in_flight * states > pim::hub_states) {
        return bad_input("attention",
                         fmt::format("{} in flight need {} states of the hub; it has {}", in_flight,
                                     in_flight * states, pim::hub_states));
    }
    // All rounds have the block of the first, also a last one of fewer heads.
    AttentionOptions alike = options;
    alike.block_tokens = rounds.front().plan.block_tokens;
    if (options.partition == HeadPartition::hfp) {
        alike.heads_at_once = rounds.front().plan.shape.kv_heads;
    }
    MEMSIDE_TRY(rounds, plan_rounds(shape, alike, registers));
    pim::DynamicProgram program = ProgramWriter(model, options).write(rounds, places);
    MEMSIDE_CHECK(pim::validate(program, "attention"));
    return program;
}

}  // namespace memside::compiler
