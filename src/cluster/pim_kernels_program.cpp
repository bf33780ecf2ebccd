// Kernels as programs: the compiler's plans without MLIR make dynamic programs, which the module's
// simulation times command by command.
#include <algorithm>

#include "cluster/pim_kernels.h"
#include "cluster/pim_kernels_parts.h"
#include "compiler/encode/item_writer.h"
#include "compiler/plan/attention_code.h"
#include "compiler/plan/gemv_plan.h"
#include "pim/dynamic/dynamic_time.h"
#include "pim/instruction_table.h"
#include "pim/kernels/gemv.h"

namespace memside {
namespace {

Result<std::vector<compiler::HeadRound>> rounds_of(const PimAttention& shape,
                                                   const PimProgramOptions& options) {
    compiler::AttentionShape heads;
    heads.kv_heads = shape.pairs;
    heads.group = shape.group;
    heads.head_dim = shape.head_dim;
    compiler::AttentionOptions plan;
    plan.partition = options.partition == PimPartition::tcp ? compiler::HeadPartition::tcp
                                                            : compiler::HeadPartition::hfp;
    plan.row_reuse = options.row_reuse;
    plan.accumulators = kernel_accumulators(options.scheduler);
    const std::uint32_t vector = pim::units(shape.head_dim, pim::lanes);
    const std::uint32_t queries = shape.pairs * shape.group * vector;
    // A tile of zeros, queries, outputs, and the new keys and values.
    const std::uint32_t used = 1 + 2 * queries + 2 * shape.pairs * vector;
    if (used >= pim::gpr_entries) {
        return bad_input("attention",
                         fmt::format("{} heads need {} registers; a module has {}",
                                     shape.pairs * shape.group, used, pim::gpr_entries));
    }
    compiler::AttentionRegisters registers;
    registers.query = 1;
    registers.output = 1 + queries;
    registers.scratch = used;
    registers.scratch_tiles = (pim::gpr_entries - used) / (shape.doubled ? 2 : 1);
    MEMSIDE_TRY(auto rounds, compiler::plan_rounds(heads, plan, registers));
    const std::uint32_t states = rounds.front().plan.query_sets().back().state + 1;
    if (shape.doubled && 2 * states > pim::hub_states) {
        return bad_input("--hub", fmt::format("two rounds in flight need {} states of the hub; it "
                                              "has {}",
                                              2 * states, pim::hub_states));
    }
    return rounds;
}

class ProgramWriter {
  public:
    explicit ProgramWriter(const PimProgramOptions& options) : options_(options) {}

    void round(const compiler::HeadRound& round, std::uint32_t new_gpr) {
        const auto region = static_cast<std::uint32_t>(program_.regions.size());
        program_.regions.push_back({fmt::format("keys {}", region / 2), 0, true, 0});
        program_.regions.push_back({fmt::format("values {}", region / 2), 0, true, 0});
        const std::uint32_t tiles = round.plan.tiles() * round.plan.shape.kv_heads;
        compiler::write_append(round.plan, pim::KvKind::key, region, new_gpr, writer_);
        compiler::write_append(round.plan, pim::KvKind::value, region + 1, new_gpr + tiles,
                               writer_);
        end_entry("append", pim::OpType::append, round.plan.keys.mask());
        compiler::write_attention(round.plan, {region, region + 1}, writer_);
        end_entry("attention", pim::OpType::attention, round.plan.keys.mask());
        program_.block_tokens = round.plan.block_tokens;
    }

    pim::DynamicProgram finish() && {
        program_.items = std::move(writer_).finish();
        return std::move(program_);
    }

  private:
    void end_entry(std::string_view name, pim::OpType type, std::uint32_t mask) {
        pim::ExecutionEntry entry;
        entry.name = fmt::format("{} {}", name, program_.entries.size() / 2);
        entry.op_type = type;
        entry.partitioning = options_.partition == PimPartition::tcp ? pim::Partitioning::token
                                                                     : pim::Partitioning::head;
        entry.channel_mask = mask;
        entry.first_item = first_item_;
        entry.item_count = static_cast<std::uint32_t>(writer_.size()) - first_item_;
        first_item_ = static_cast<std::uint32_t>(writer_.size());
        program_.entries.push_back(std::move(entry));
    }

    PimProgramOptions options_;
    pim::DynamicProgram program_;
    compiler::ItemWriter writer_;
    std::uint32_t first_item_ = 0;
};

class ProgramKernels final : public PimKernels {
  public:
    ProgramKernels(const PimDescription& description, const PimProgramOptions& options)
        : description_(description), options_(options) {
        simulation_.scheduler = options.scheduler;
        simulation_.refresh = options.refresh ? pim::RefreshMode::all_bank : pim::RefreshMode::off;
    }

    Result<PimKernelTime> attention(const PimAttention& shape) override {
        MEMSIDE_TRY(const pim::DynamicProgram program, attention_program(shape, options_));
        return timed(program, static_cast<std::uint64_t>(shape.tokens), shape.doubled);
    }

    Result<PimKernelTime> selected(const PimSelected& shape) override {
        return time_selected(shape, options_, description_, simulation_);
    }

    // The faster of two orders: an accumulator for each group of outputs while x passes once, or a
    // chunk of x that stays while its sums come and go.
    Result<PimKernelTime> gemv(const PimGemv& shape) override {
        // More outputs than registers (an output head) leave in parts, x coming again for each.
        constexpr std::uint32_t most = pim::gpr_entries / 2 * pim::lanes;
        if (shape.rows > most) {
            MEMSIDE_TRY(PimKernelTime time, gemv({most, shape.columns}));
            MEMSIDE_TRY(const PimKernelTime rest, gemv({shape.rows - most, shape.columns}));
            return time.add(rest);
        }
        MEMSIDE_TRY(const PimKernelTime kept, accumulated(shape));
        if (kernel_accumulators(options_.scheduler) > 2) return kept;
        MEMSIDE_TRY(const PimKernelTime carried, x_stationary(shape));
        return carried.time_s < kept.time_s ? carried : kept;
    }

    double hub_s(const pim::HubInstruction& hub) const override {
        return description_.hub.ns({hub, 0, 1, 1}) * 1e-9;
    }

  private:
    Result<PimKernelTime> timed(const pim::DynamicProgram& program, std::uint64_t tokens,
                                bool in_blocks = false) const {
        MEMSIDE_CHECK(pim::validate(program, "kernel"));
        // Keys in the lower half of the banks and values in the upper: which row it is changes no
        // time, but a row of both would stay open.
        constexpr std::uint32_t half = pim::rows_per_bank / 2;
        std::vector<pim::RowTable> tables;
        for (std::uint32_t region = 0; region < program.regions.size(); ++region) {
            tables.push_back(pim::RowTable::identity(region % 2 * half, half));
        }
        pim::TimeSink sink(description_.timing, description_.hub, simulation_);
        MEMSIDE_CHECK(pim::Expander(program).run_all(tokens, tables, sink));
        MEMSIDE_TRY(const pim::DynamicTime time, sink.finish());
        PimKernelTime result =
            kernel_time(time.result, static_cast<double>(time.hub_cycles), description_.timing);
        if (in_blocks) result.blocks = kernel_blocks(time.stretches);
        return result;
    }

    Result<PimKernelTime> accumulated(const PimGemv& shape) const {
        compiler::GemvPlan wanted;
        wanted.accumulators = kernel_accumulators(options_.scheduler);
        wanted.x_gpr = 1;
        wanted.y_gpr = 1 + pim::units(shape.columns, pim::lanes);
        MEMSIDE_TRY(const compiler::GemvPlan plan,
                    compiler::plan_gemv({shape.rows, shape.columns}, pim::channel_count, wanted));
        compiler::ItemWriter writer;
        compiler::write_gemv(plan, 0, writer);
        pim::DynamicProgram program;
        program.regions = {{"weights", plan.weight_rows(), false, 0}};
        pim::ExecutionEntry entry;
        entry.name = "gemv";
        entry.op_type = pim::OpType::gemv;
        entry.partitioning = pim::Partitioning::row;
        entry.channel_mask = ~0U;
        entry.item_count = static_cast<std::uint32_t>(writer.size());
        program.entries.push_back(entry);
        program.items = std::move(writer).finish();
        return timed(program, 1);
    }

    // The sums so far come back as the bias of the next chunk, rounded to bf16.
    Result<PimKernelTime> x_stationary(const PimGemv& shape) const {
        pim::GemvOptions options;
        options.registers = pim::Registers::reused;
        MEMSIDE_TRY(const pim::GemvKernel kernel,
                    pim::make_gemv({shape.rows, shape.columns}, options));
        MEMSIDE_TRY(const pim::SimulationResult result,
                    pim::simulate(kernel.program, description_.timing, simulation_));
        return kernel_time(result, 0, description_.timing);
    }

    const PimDescription& description_;
    PimProgramOptions options_;
    pim::SimulationOptions simulation_;
};

}  // namespace

Result<pim::DynamicProgram> attention_program(const PimAttention& shape,
                                              const PimProgramOptions& options) {
    MEMSIDE_TRY(const std::vector<compiler::HeadRound> rounds, rounds_of(shape, options));
    ProgramWriter writer(options);
    const std::uint32_t vector = pim::units(shape.head_dim, pim::lanes);
    std::uint32_t new_gpr = 1 + 2 * shape.pairs * shape.group * vector;
    for (const compiler::HeadRound& round : rounds) {
        writer.round(round, new_gpr);
        new_gpr += 2 * round.plan.shape.kv_heads * vector;
    }
    return std::move(writer).finish();
}

std::unique_ptr<PimKernels> make_program_kernels(const PimDescription& description,
                                                 const PimProgramOptions& options) {
    return std::make_unique<ProgramKernels>(description, options);
}

}  // namespace memside
