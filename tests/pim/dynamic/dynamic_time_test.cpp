// A dynamic program in time: against pim::simulate on the whole expansion, and closed forms of the
// hub's latencies.
#include "pim/dynamic/dynamic_time.h"

#include <cmath>

#include "pim/dynamic/attention_program.h"
#include "pim/shipped_timing.h"

namespace memside::pim {
namespace {

const HubTiming& hub_timing() {
    static const HubTiming timing =
        read_hub_timing(fmt::format("{}/systems/pim/hub.yaml", MEMSIDE_SOURCE_DIR)).value();
    return timing;
}

std::vector<RowTable> tables() {
    return {RowTable::identity(0, 1024), RowTable::identity(1024, 1024)};
}

DynamicTime time_of(const DynamicProgram& program, std::uint64_t tokens,
                    const SimulationOptions& options,
                    std::size_t batch = TimeSink::batch_instructions) {
    TimeSink sink(shipped_timing(), hub_timing(), options, batch);
    const Status status = Expander(program).run_all(tokens, tables(), sink);
    EXPECT_TRUE(status.ok()) << status.error().message();
    auto time = sink.finish();
    EXPECT_TRUE(time.ok()) << time.error().message();
    return *time;
}

// The whole expansion as one program, with a SYNC at each hub instruction.
struct Whole : Sink {
    Program program;
    double hub_ns = 0;
    Status instruction(const Instruction& instruction) override {
        program.instructions.push_back(instruction);
        return {};
    }
    Status hub(const HubCall& call) override {
        hub_ns += hub_timing().ns(call);
        if (!program.instructions.empty() && program.instructions.back().opcode != Opcode::sync) {
            program.instructions.push_back({.opcode = Opcode::sync});
        }
        return {};
    }
};

const AttentionShape shape{.head_dim = 128, .channels = 16, .queries = 4};

TEST(DynamicTime, it_is_the_simulation_of_the_whole_expansion_and_the_hubs_latencies) {
    const DynamicProgram program = attention_program(AttentionLayout(shape));
    for (const Scheduler scheduler : {Scheduler::in_order, Scheduler::ping_pong, Scheduler::dcs}) {
        for (const RefreshMode refresh : {RefreshMode::off, RefreshMode::all_bank}) {
            const SimulationOptions options{.scheduler = scheduler, .refresh = refresh};
            Whole whole;
            ASSERT_TRUE(Expander(program).run_all(5000, tables(), whole).ok());
            const auto expected = simulate(whole.program, shipped_timing(), options);
            ASSERT_TRUE(expected.ok()) << expected.error().message();
            const DynamicTime time = time_of(program, 5000, options);
            EXPECT_EQ(time.aim_cycles, expected->cycles);
            EXPECT_EQ(time.batches, 1U);
            EXPECT_EQ(time.hub_cycles, static_cast<std::uint64_t>(std::ceil(whole.hub_ns / 0.5)));
            EXPECT_EQ(time.result.cycles, time.aim_cycles + time.hub_cycles);
            EXPECT_EQ(time.result.commands(), expected->commands());
            for (const ChannelResult& channel : time.result.channels) {
                std::uint64_t sum = 0;
                for (const std::uint64_t cycles : channel.activity_cycles) sum += cycles;
                EXPECT_EQ(sum, time.result.cycles);
            }
        }
    }
}

TEST(DynamicTime, stretches_are_what_channels_and_hub_do_by_turns) {
    const DynamicProgram program = attention_program(AttentionLayout(shape));
    for (const Scheduler scheduler : {Scheduler::in_order, Scheduler::ping_pong, Scheduler::dcs}) {
        for (const std::size_t batch : {std::size_t{200}, TimeSink::batch_instructions}) {
            const SimulationOptions options{.scheduler = scheduler};
            const DynamicTime time = time_of(program, 9000, options, batch);
            double channels_ns = 0;
            double hub_ns = 0;
            for (std::size_t i = 0; i < time.stretches.size(); ++i) {
                const Stretch& stretch = time.stretches[i];
                (stretch.hub ? hub_ns : channels_ns) += stretch.ns;
                EXPECT_GT(stretch.ns, 0);
                EXPECT_TRUE(i == 0 || stretch.hub || time.stretches[i - 1].hub);
            }
            EXPECT_DOUBLE_EQ(channels_ns, static_cast<double>(time.aim_cycles) * 0.5);
            EXPECT_NEAR(hub_ns, static_cast<double>(time.hub_cycles) * 0.5, 0.5);
        }
    }
}

TEST(DynamicTime, batches_change_it_by_little) {
    const DynamicProgram program = attention_program(AttentionLayout(shape));
    const SimulationOptions options;
    const DynamicTime whole = time_of(program, 40000, options, 1U << 20);
    const DynamicTime parts = time_of(program, 40000, options, 300);
    EXPECT_EQ(whole.batches, 1U);
    EXPECT_GT(parts.batches, 5U);
    EXPECT_EQ(parts.hub_cycles, whole.hub_cycles);
    EXPECT_EQ(parts.instructions, whole.instructions);
    // A batch waits for all channels, opens its rows anew, and begins a refresh interval.
    const auto difference =
        static_cast<double>(parts.aim_cycles) - static_cast<double>(whole.aim_cycles);
    EXPECT_LT(std::fabs(difference), 0.05 * static_cast<double>(whole.aim_cycles));
}

TEST(DynamicTime, a_million_tokens_take_a_million_tokens_time_from_the_same_program) {
    const DynamicProgram program = attention_program(AttentionLayout(shape));
    const SimulationOptions options{.scheduler = Scheduler::dcs};
    const DynamicTime some = time_of(program, 1U << 17, options);
    const DynamicTime million = time_of(program, 1U << 20, options);
    const double ratio =
        static_cast<double>(million.result.cycles) / static_cast<double>(some.result.cycles);
    EXPECT_NEAR(ratio, 8.0, 0.1);
    EXPECT_EQ(some.batches, 1U);
    EXPECT_GT(million.batches, 1U);
}

TEST(HubTiming, latencies_are_those_of_cents_helpers) {
    const HubTiming& timing = hub_timing();
    HubInstruction hub;
    hub.op = HubOp::rms_norm;
    hub.values = 4096;
    EXPECT_DOUBLE_EQ(timing.ns({hub, 0, 1, 1}), 0.5 * 2 * (4096.0 / 256 / 32 * 66 + 29));
    hub = {};
    hub.op = HubOp::softmax_block;
    hub.queries = 32;
    EXPECT_DOUBLE_EQ(timing.ns({hub, 0, 4096, 4096}), 0.5 * 4096.0 * 32 / 16 / 32 * (44 + 66));
    hub = {};
    hub.op = HubOp::softmax_finish;
    hub.queries = 32;
    EXPECT_DOUBLE_EQ(timing.ns({hub, 0, 1, 1}), 0.5 * 32 * 18.25);
    // Q of 4,096 values and K of a quarter.
    hub = {};
    hub.op = HubOp::rope;
    hub.heads = 40;
    hub.head_dim = 128;
    EXPECT_DOUBLE_EQ(timing.ns({hub, 0, 1, 1}), 0.5 * 4096 * 0.375 * 1.25);
}

TEST(HubTiming, picking_pages_passes_over_all_tiles_of_scores) {
    // 4,097 scores are 257 tiles, 9 on the fullest of 32 units; 17 passes.
    EXPECT_DOUBLE_EQ(hub_timing().top_k_ns(4097), 0.5 * 17 * 9 * 66);
}

TEST(HubTiming, every_operation_of_an_expansion_takes_time) {
    for (std::size_t i = 0; i < hub_op_count; ++i) {
        HubInstruction hub;
        hub.op = static_cast<HubOp>(i);
        if (hub.op == HubOp::append_key || hub.op == HubOp::append_value) continue;
        hub.tiles = 1;
        hub.values = 1;
        hub.head_dim = 2;
        EXPECT_GT(hub_timing().ns({hub, 0, 1, 1}), 0) << info(hub.op).name;
    }
}

}  // namespace
}  // namespace memside::pim
