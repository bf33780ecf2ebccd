// Channels and hub at the same time: against the longest path through what depends on what, and
// against commands that are really in that order.
#include "cluster/pim_overlap.h"

#include <rapidcheck/gtest.h>

#include <functional>
#include <map>

#include "cluster/pim_kernels.h"
#include "pim/dynamic/dynamic_time.h"

namespace memside {
namespace {

PimBlock block(bool first, double scores, double softmax, double sums, double accumulate) {
    return {.first = first,
            .scores_s = scores,
            .softmax_s = softmax,
            .sums_s = sums,
            .accumulate_s = accumulate};
}

// The longest path, by recursion over "comes after": for blocks of which each is a head.
double longest_path(const PimBlocks& heads) {
    const auto n = static_cast<int>(heads.size());
    std::map<std::pair<char, int>, double> known;
    std::function<double(char, int)> end = [&](char work, int k) -> double {
        if (k < 0 || k >= n) return 0;
        const auto found = known.find({work, k});
        if (found != known.end()) return found->second;
        const PimBlock& of = heads[static_cast<std::size_t>(k)];
        double start = 0;
        double takes = 0;
        const auto after = [&](char other, int i) { start = std::max(start, end(other, i)); };
        if (work == 'q') {
            after('q', k - 1);
            after('s', k - 2);
            takes = of.scores_s;
        } else if (work == 'x') {
            after('q', k);
            after('x', k - 1);
            after('a', k - 2);
            takes = of.softmax_s;
        } else if (work == 's') {
            after('x', k);
            after('q', std::min(k + 1, n - 1));
            after('s', k - 1);
            after('a', k - 2);
            takes = of.sums_s;
        } else {
            after('s', k);
            after('x', std::min(k + 1, n - 1));
            after('a', k - 1);
            takes = of.accumulate_s;
        }
        return known[{work, k}] = start + takes;
    };
    return std::max(end('a', n - 1), end('s', n - 1));
}

RC_GTEST_PROP(PimOverlap, heads_of_a_block_end_with_the_longest_path,
              (const std::vector<std::array<unsigned char, 4>>& times)) {
    PimBlocks heads;
    for (const auto& t : times) heads.push_back(block(true, t[0], t[1], t[2], t[3]));
    const OverlapTime time = overlapped(heads);
    RC_ASSERT(time.time_s == (heads.empty() ? 0 : longest_path(heads)));
}

RC_GTEST_PROP(PimOverlap, no_resource_works_longer_than_the_schedule_takes,
              (const std::vector<std::pair<std::array<unsigned char, 4>, bool>>& drawn)) {
    PimBlocks blocks;
    double serial = 0;
    for (const auto& [t, first] : drawn) {
        PimBlock one = block(first || blocks.empty(), t[0], t[1], t[2], t[3]);
        one.repeats = 1 + t[0] % 3;
        one.waits = t[1] % 2 == 1;
        serial += static_cast<double>(one.repeats) * (one.channels_s() + one.hub_s());
        blocks.push_back(one);
    }
    const OverlapTime time = overlapped(blocks);
    RC_ASSERT(time.time_s >= std::max(time.channels_s, time.hub_s));
    RC_ASSERT(time.time_s <= serial);
    RC_ASSERT(time.channels_s + time.hub_s == serial);
}

TEST(PimOverlap, a_head_alone_waits_for_itself) {
    EXPECT_EQ(overlapped({block(true, 5, 7, 3, 2)}).time_s, 17);
}

TEST(PimOverlap, a_long_softmax_hides_all_commands_but_the_first_and_the_last) {
    const PimBlocks heads(10, block(true, 5, 20, 3, 1));
    EXPECT_EQ(overlapped(heads).time_s, 5 + 10 * 20 + 8 * 1 + 3 + 1);
}

TEST(PimOverlap, blocks_of_a_lone_head_go_on_when_its_sums_are_in) {
    // QK 4, softmax 6 beside the next QK 4; SV 2, sums 1, softmax 6, SV 2, sums 1.
    EXPECT_EQ(overlapped({block(true, 4, 6, 2, 1), block(false, 4, 6, 2, 1)}).time_s, 22);
}

TEST(PimOverlap, what_the_hub_picks_is_waited_for) {
    PimBlocks blocks{block(true, 4, 6, 0, 0), block(false, 5, 1, 1, 1)};
    blocks[1].waits = true;
    EXPECT_EQ(overlapped(blocks).time_s, 4 + 6 + 5 + 1 + 1 + 1);
}

// Pieces of a head's program between the hub's instructions, as they come.
struct Pieces : pim::Sink {
    std::vector<pim::Program> channels{1};
    std::vector<double> hub_ns{0};  // after each piece
    const pim::HubTiming& timing;

    explicit Pieces(const pim::HubTiming& hub_timing) : timing(hub_timing) {}
    Status instruction(const pim::Instruction& instruction) override {
        if (hub_ns.back() > 0) {
            hub_ns.push_back(0);
            channels.emplace_back();
        }
        channels.back().instructions.push_back(instruction);
        return {};
    }
    Status hub(const pim::HubCall& call) override {
        hub_ns.back() += timing.ns(call);
        return {};
    }
};

class OverlapOnCommands : public testing::TestWithParam<pim::Scheduler> {};
INSTANTIATE_TEST_SUITE_P(Schedulers, OverlapOnCommands,
                         testing::Values(pim::Scheduler::in_order, pim::Scheduler::ping_pong,
                                         pim::Scheduler::dcs));

// Six heads in the overlapped order as one program, timed command by command with refresh.
TEST_P(OverlapOnCommands, commands_in_that_order_take_what_the_blocks_say) {
    const PimDescription description = *read_pim_description();
    PimProgramOptions options;
    options.scheduler = GetParam();
    const PimAttention shape{
        .pairs = 1, .group = 4, .head_dim = 128, .tokens = 4096, .doubled = true};
    const auto program = *attention_program(shape, options);
    Pieces pieces(description.hub);
    const std::vector<pim::RowTable> tables{pim::RowTable::identity(0, 8192),
                                            pim::RowTable::identity(8192, 8192)};
    ASSERT_TRUE(pim::Expander(program).run_all(4096, tables, pieces).ok());
    // A tile of zeros and the append, then the scores, then the sums: pieces 0 to 2, 3 and 4.
    ASSERT_EQ(pieces.channels.size(), 5U);
    constexpr int heads = 6;
    pim::Program all;
    const auto add = [&](std::size_t piece) {
        const auto& from = pieces.channels[piece].instructions;
        all.instructions.insert(all.instructions.end(), from.begin(), from.end());
        all.instructions.push_back({.opcode = pim::Opcode::sync});
    };
    std::vector<std::pair<char, int>> order;
    for (int k = 0; k <= heads; ++k) {
        if (k < heads) {
            for (const std::size_t piece : {0U, 1U, 2U, 3U}) add(piece);
            order.emplace_back('q', k);
        }
        if (k > 0) {
            add(4);
            order.emplace_back('s', k - 1);
        }
    }
    const pim::SimulationOptions run{.scheduler = GetParam(),
                                     .refresh = pim::RefreshMode::all_bank};
    const auto simulated = pim::simulate(all, description.timing, run);
    ASSERT_TRUE(simulated.ok()) << simulated.error().message();
    PimBlocks real(heads, block(true, 0, pieces.hub_ns[3], 0, pieces.hub_ns[4]));
    std::size_t sync = 0;
    std::uint64_t before = 0;
    for (const auto& [work, k] : order) {
        sync += work == 'q' ? 4U : 1U;
        const std::uint64_t now = simulated->sync_cycles[sync - 1];
        const double ns = static_cast<double>(now - before) * description.timing.clock_ns;
        before = now;
        PimBlock& of = real[static_cast<std::size_t>(k)];
        work == 'q' ? of.scores_s = ns + pieces.hub_ns[0] + pieces.hub_ns[1] + pieces.hub_ns[2]
                    : of.sums_s = ns;
    }
    const auto kernels = make_program_kernels(description, options);
    const auto kernel = kernels->attention(shape);
    ASSERT_TRUE(kernel.ok());
    PimBlocks modelled;
    for (int k = 0; k < heads; ++k) {
        modelled.insert(modelled.end(), kernel->blocks.begin(), kernel->blocks.end());
    }
    EXPECT_NEAR(overlapped(modelled).time_s * 1e9, overlapped(real).time_s,
                0.02 * overlapped(real).time_s);
    double sum = 0;
    for (const PimBlock& one : kernel->blocks) {
        sum += static_cast<double>(one.repeats) * (one.channels_s() + one.hub_s());
    }
    EXPECT_NEAR(sum, kernel->time_s, 2e-9);
}

TEST(PimOverlap, a_doubled_attention_multiplies_as_much_in_halves_of_the_registers) {
    const PimDescription description = *read_pim_description();
    for (const PimPartition partition : {PimPartition::tcp, PimPartition::hfp}) {
        PimProgramOptions options;
        options.partition = partition;
        PimAttention shape{.pairs = 1, .group = 4, .head_dim = 128, .tokens = 32768};
        if (partition == PimPartition::hfp) shape = {32, 4, 128, 2048};
        const auto kernels = make_program_kernels(description, options);
        const PimKernelTime one = *kernels->attention(shape);
        shape.doubled = true;
        const PimKernelTime two = *kernels->attention(shape);
        EXPECT_EQ(one.macs(), two.macs());
        EXPECT_TRUE(one.blocks.empty());
        EXPECT_GT(two.blocks.size(), 1U);
        EXPECT_TRUE(two.blocks.front().first);
    }
}

}  // namespace
}  // namespace memside
