// Kernels as programs: the compiler's plans without MLIR make dynamic programs, which the module's
// simulation times command by command.
#include <algorithm>

#include "cluster/pim_kernels.h"
#include "cluster/pim_kernels_parts.h"
#include "compiler/encode/attention_program.h"
#include "compiler/encode/item_writer.h"
#include "compiler/plan/gemv_plan.h"
#include "pim/dynamic/dynamic_time.h"
#include "pim/instruction_table.h"
#include "pim/kernels/gemv.h"

namespace memside {
namespace {

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
        std::vector<pim::RowTable> tables(program.regions.size(), pim::RowTable::identity(0, half));
        for (const pim::ExecutionEntry& entry : program.entries) {
            for (std::uint32_t i = 0; i < entry.item_count; ++i) {
                const pim::DynamicItem& item = program.items[entry.first_item + i];
                if (item.kind == pim::DynamicItem::Kind::hub &&
                    item.hub.op == pim::HubOp::append_value) {
                    tables[entry.region_base + item.hub.region] =
                        pim::RowTable::identity(half, half);
                }
            }
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
    if (options.attention) return *options.attention;
    compiler::AttentionShape heads;
    heads.kv_heads = shape.pairs;
    heads.group = shape.group;
    heads.head_dim = shape.head_dim;
    compiler::AttentionOptions plan;
    plan.partition = options.partition == PimPartition::tcp ? compiler::HeadPartition::tcp
                                                            : compiler::HeadPartition::hfp;
    plan.row_reuse = options.row_reuse;
    plan.accumulators = kernel_accumulators(options.scheduler);
    return compiler::attention_program("attention", heads, plan, shape.doubled ? 2 : 1);
}

std::unique_ptr<PimKernels> make_program_kernels(const PimDescription& description,
                                                 const PimProgramOptions& options) {
    return std::make_unique<ProgramKernels>(description, options);
}

}  // namespace memside
