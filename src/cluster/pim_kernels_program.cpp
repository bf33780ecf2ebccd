// Kernels as programs: the compiler's plans without MLIR make dynamic programs, which the module's
// simulation times command by command.
#include <algorithm>

#include "cluster/pim_kernels.h"
#include "compiler/encode/attention_program.h"
#include "compiler/encode/item_writer.h"
#include "compiler/plan/gemv_plan.h"
#include "pim/dynamic/dynamic_time.h"
#include "pim/instruction_table.h"
#include "pim/kernels/gemv.h"

namespace memside {
namespace {

// Accumulators that a program may count on. In order: the device's single one (PIMphony: 4 bytes a
// bank). Ping-pong: one in each half; LoL-PIM does not say how deep. DCS: the output buffer.
std::uint32_t accumulators(pim::Scheduler scheduler) {
    switch (scheduler) {
        case pim::Scheduler::in_order:
            return 1;
        case pim::Scheduler::ping_pong:
            return 2;
        case pim::Scheduler::dcs:
            break;
    }
    return 64;
}

class ProgramKernels final : public PimKernels {
  public:
    ProgramKernels(const PimDescription& description, const PimProgramOptions& options)
        : description_(description), options_(options) {
        simulation_.scheduler = options.scheduler;
        simulation_.refresh = options.refresh ? pim::RefreshMode::all_bank : pim::RefreshMode::off;
    }

    Result<PimKernelTime> attention(const PimAttention& shape) override {
        MEMSIDE_TRY(const pim::DynamicProgram program, attention_program(shape, options_));
        return timed(program, static_cast<std::uint64_t>(shape.tokens));
    }

    // The faster of two orders: an accumulator for each group of outputs while x passes once, or a
    // chunk of x that stays while its sums come and go.
    Result<PimKernelTime> gemv(const PimGemv& shape) override {
        MEMSIDE_TRY(const PimKernelTime kept, accumulated(shape));
        if (accumulators(options_.scheduler) > 2) return kept;
        MEMSIDE_TRY(const PimKernelTime carried, x_stationary(shape));
        return carried.time_s < kept.time_s ? carried : kept;
    }

    double hub_s(const pim::HubInstruction& hub) const override {
        return description_.hub.ns({hub, 0, 1, 1}) * 1e-9;
    }

  private:
    PimKernelTime result_of(const pim::SimulationResult& result, double hub_cycles) const {
        const double clock_s = description_.timing.clock_ns * 1e-9;
        PimKernelTime time;
        time.time_s = static_cast<double>(result.cycles) * clock_s;
        time.hub_s = hub_cycles * clock_s;
        time.commands = result.commands();
        for (const pim::ChannelResult& channel : result.channels) {
            const auto ran = [&](pim::Command command) {
                return channel.commands[static_cast<std::size_t>(command)] != 0;
            };
            if (ran(pim::Command::act) || ran(pim::Command::act16)) {
                time.open_channel_s += time.time_s;
            }
        }
        return time;
    }

    Result<PimKernelTime> timed(const pim::DynamicProgram& program, std::uint64_t tokens) const {
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
        return result_of(time.result, static_cast<double>(time.hub_cycles));
    }

    Result<PimKernelTime> accumulated(const PimGemv& shape) const {
        compiler::GemvPlan wanted;
        wanted.accumulators = accumulators(options_.scheduler);
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
        return result_of(result, 0);
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
    plan.accumulators = accumulators(options.scheduler);
    return compiler::attention_program("attention", heads, plan);
}

std::unique_ptr<PimKernels> make_program_kernels(const PimDescription& description,
                                                 const PimProgramOptions& options) {
    return std::make_unique<ProgramKernels>(description, options);
}

}  // namespace memside
