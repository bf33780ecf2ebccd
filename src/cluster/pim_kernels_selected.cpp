// The attention of a step that selects pages, in time.
#include <cmath>

#include "cluster/pim_kernels_parts.h"
#include "compiler/plan/selected_attention.h"
#include "kv/layout.h"

namespace memside {
namespace {

using pim::HubOp;

// Where keys, values and digests lie: which row it is changes no time.
struct Tables {
    static constexpr std::uint32_t third = pim::rows_per_bank / 3;
    std::vector<pim::RowTable> kv{pim::RowTable::identity(0, third),
                                  pim::RowTable::identity(third, third)};
    pim::RowTable digests = pim::RowTable::identity(2 * third, third);
};

// The plans of the scan and of the attention, over the same registers.
struct Plans {
    compiler::AttentionPlan scan;
    compiler::SelectedPlan attention;
};

Result<Plans> make_plans(const PimSelected& shape, const PimProgramOptions& options) {
    const std::uint32_t vector = pim::units(shape.head_dim, pim::lanes);
    const std::uint32_t queries = shape.group * vector;
    // A tile of zeros, queries and outputs, queries for digests, the new key and value.
    const std::uint32_t used = 1 + 4 * queries + 2 * vector;
    if (used >= pim::gpr_entries) {
        return bad_input("--budget",
                         fmt::format("{} query heads need {} registers", shape.group, used));
    }
    compiler::AttentionRegisters registers;
    registers.query = 1;
    registers.output = 1 + queries;
    registers.scratch = used;
    registers.scratch_tiles = (pim::gpr_entries - used) / (shape.doubled ? 2 : 1);
    compiler::AttentionOptions plan;
    plan.row_reuse = options.row_reuse;
    plan.accumulators = kernel_accumulators(options.scheduler);
    compiler::AttentionRegisters scan_registers = registers;
    scan_registers.query = 1 + 2 * queries;
    Plans plans;
    MEMSIDE_TRY(plans.scan,
                compiler::plan_digest_scan(shape.group, shape.head_dim, plan, scan_registers));
    MEMSIDE_TRY(plans.attention, compiler::plan_selected({.group = shape.group,
                                                          .head_dim = shape.head_dim,
                                                          .page_tokens = shape.page_tokens,
                                                          .options = plan,
                                                          .registers = registers}));
    return plans;
}

// What comes before attention in the program of dense attention: a tile of zeros, and the new
// token's keys and values.
Status write_append(const PimSelected& shape, const PimProgramOptions& options,
                    const Tables& tables, pim::Sink& sink) {
    MEMSIDE_TRY(const pim::DynamicProgram program,
                attention_program({1, shape.group, shape.head_dim, shape.tokens}, options));
    const pim::Expander expander(program);
    for (const pim::ExecutionEntry& entry : program.entries) {
        if (entry.op_type == pim::OpType::attention) continue;
        MEMSIDE_CHECK(
            expander.run(entry, static_cast<std::uint64_t>(shape.tokens), tables.kv, sink));
    }
    return {};
}

// The digest of the page that the new token belongs to is read, updated and written back.
Status write_digest_update(const Plans& plans, std::uint64_t pages, const Tables& tables,
                           pim::Sink& sink) {
    const pim::KvLayout& layout = plans.scan.keys;
    const pim::Place place = layout.key_place(pages - 1, 0);
    const auto row = tables.digests.physical(place.row);
    if (!row) return bad_input("--context", "its digests have more rows than a bank");
    const auto access = [&](pim::Opcode opcode) -> Status {
        for (std::uint32_t tile = 0; tile < layout.tiles(); ++tile) {
            MEMSIDE_CHECK(
                sink.instruction({.opcode = opcode,
                                  .bank = static_cast<std::uint8_t>(place.bank),
                                  .written = pim::optional_column,
                                  .column = static_cast<std::uint16_t>(place.entry + tile),
                                  .mask = 1U << (pim::channel_count - 1 - place.channel),
                                  .row = *row,
                                  .gpr = plans.scan.registers.scratch + tile}));
        }
        return {};
    };
    MEMSIDE_CHECK(access(pim::Opcode::rd_sbk));
    pim::HubInstruction compare;
    compare.op = HubOp::add;  // comparing takes as long
    compare.tiles = layout.tiles();
    MEMSIDE_CHECK(sink.hub({compare, 0, 1, 1}));
    return access(pim::Opcode::wr_sbk);
}

}  // namespace

Result<PimKernelTime> time_selected(const PimSelected& shape, const PimProgramOptions& options,
                                    const PimDescription& description,
                                    const pim::SimulationOptions& simulation) {
    MEMSIDE_TRY(const Plans plans, make_plans(shape, options));
    const Tables tables;
    const auto pages = static_cast<std::uint64_t>(kv::page_count(shape.tokens, shape.page_tokens));
    pim::TimeSink sink(description.timing, description.hub, simulation);
    MEMSIDE_CHECK(write_append(shape, options, tables, sink));
    MEMSIDE_CHECK(write_digest_update(plans, pages, tables, sink));
    pim::HubInstruction parts;
    parts.op = HubOp::fill;  // of each query what is above and what is below zero
    parts.tiles = shape.group * plans.scan.tiles();
    MEMSIDE_CHECK(sink.hub({parts, 0, 1, 1}));
    const std::size_t scan_begins = sink.stretches();
    MEMSIDE_CHECK(compiler::write_digest_scan(plans.scan, pages, tables.digests, sink));
    sink.hub_work(HubOp::reduce, description.hub.top_k_ns(pages));
    const std::size_t scan_ends = sink.stretches();
    MEMSIDE_CHECK(compiler::write_selected(plans.attention, shape.pages,
                                           static_cast<std::uint64_t>(shape.tokens), tables.kv[0],
                                           tables.kv[1], sink));
    MEMSIDE_TRY(const pim::DynamicTime time, sink.finish());
    PimKernelTime result =
        kernel_time(time.result, static_cast<double>(time.hub_cycles), description.timing);
    for (std::size_t i = scan_begins; i < scan_ends; ++i) {
        const pim::Stretch& stretch = time.stretches[i];
        (stretch.hub ? result.top_k_s : result.scan_s) += stretch.ns * 1e-9;
    }
    if (shape.doubled) result.blocks = kernel_blocks(time.stretches);
    return result;
}

}  // namespace memside
