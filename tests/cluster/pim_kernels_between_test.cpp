// Kernel times on a straight line between two that were simulated.
#include "cluster/pim_kernels_between.h"

namespace memside {
namespace {

struct CountingKernels final : PimKernels {
    std::vector<std::int64_t> asked;

    Result<PimKernelTime> attention(const PimAttention& shape) override {
        asked.push_back(shape.tokens);
        PimKernelTime time;
        time.time_s = 3.0 + 0.5 * static_cast<double>(shape.tokens);
        time.hub_s = 0.25 * static_cast<double>(shape.tokens);
        time.commands[0] = static_cast<std::uint64_t>(2 * shape.tokens);
        return time;
    }
    Result<PimKernelTime> gemv(const PimGemv& shape) override {
        asked.push_back(shape.rows);
        return PimKernelTime{};
    }
    double hub_s(const pim::HubInstruction&) const override { return 7.0; }
};

PimAttention of(std::int64_t tokens) {
    PimAttention shape;
    shape.head_dim = 128;
    shape.tokens = tokens;
    return shape;
}

TEST(KernelsBetween, ask_at_sixteenths_of_a_power_of_two_and_once_each) {
    CountingKernels counting;
    KernelsBetween between(counting);
    for (const std::int64_t tokens : {17000, 17001, 17300, 16384, 17408}) {
        const PimKernelTime time = *between.attention(of(tokens));
        EXPECT_NEAR(time.time_s, 3.0 + 0.5 * static_cast<double>(tokens), 1e-9);
        EXPECT_NEAR(time.hub_s, 0.25 * static_cast<double>(tokens), 1e-9);
        EXPECT_EQ(time.commands[0], static_cast<std::uint64_t>(2 * tokens));
    }
    EXPECT_EQ(counting.asked, (std::vector<std::int64_t>{16384, 17408}));
    EXPECT_EQ(between.hub_s({}), 7.0);
}

TEST(KernelsBetween, short_contexts_are_asked_for_as_they_are) {
    CountingKernels counting;
    KernelsBetween between(counting);
    static_cast<void>(*between.attention(of(1000)));
    static_cast<void>(*between.attention(of(1001)));
    static_cast<void>(*between.attention(of(1001)));
    static_cast<void>(*between.gemv({64, 128}));
    static_cast<void>(*between.gemv({64, 128}));
    EXPECT_EQ(counting.asked, (std::vector<std::int64_t>{1000, 1001, 64}));
}

// The real kernels, at lengths away from those that are simulated.
TEST(KernelsBetween, are_near_to_the_kernels_themselves) {
    const PimDescription description = *read_pim_description();
    for (const PimPartition partition : {PimPartition::tcp, PimPartition::hfp}) {
        for (const pim::Scheduler scheduler :
             {pim::Scheduler::in_order, pim::Scheduler::ping_pong, pim::Scheduler::dcs}) {
            const PimProgramOptions options{partition, scheduler, true, true};
            const auto programs = make_program_kernels(description, options);
            RememberedKernels kernels(*programs, description, options, "");
            KernelsBetween between(kernels);
            for (const std::int64_t tokens : {2700, 5500, 13345, 30017, 60001}) {
                PimAttention shape = of(tokens);
                shape.group = 4;
                shape.pairs = partition == PimPartition::tcp ? 1 : 8;
                const PimKernelTime exact = *kernels.attention(shape);
                const PimKernelTime near = *between.attention(shape);
                EXPECT_NEAR(near.time_s, exact.time_s, 0.02 * exact.time_s) << tokens;
                EXPECT_NEAR(near.hub_s, exact.hub_s, 0.02 * exact.hub_s) << tokens;
                EXPECT_NEAR(near.macs(), exact.macs(), 0.03 * exact.macs()) << tokens;
            }
        }
    }
}

}  // namespace
}  // namespace memside
