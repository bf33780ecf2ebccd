// A decode step on modules: what is conserved however it is split, and bounds.
#include "cluster/pim_step.h"

#include <numeric>

#include "cluster/toy_pim.h"

namespace memside {
namespace {

const PimDescription& description() {
    static const PimDescription read = *read_pim_description();
    return read;
}

PimStep step_of(const PimMachine& machine, std::int64_t tp, std::int64_t pp,
                const PimOptions& options, const std::vector<std::int64_t>& contexts) {
    const ModelSpec model = toy_decoder();
    const auto plan = make_pim_plan(model, machine.modules, tp, pp);
    EXPECT_TRUE(plan.ok());
    const auto programs = make_program_kernels(description(), options.program);
    RememberedKernels kernels(*programs, description(), options.program, "");
    auto step = plan_pim_step(model, machine, *plan, options, kernels, contexts);
    EXPECT_TRUE(step.ok()) << step.error().message();
    return *std::move(step);
}

PimOptions with(PimPartition partition, pim::Scheduler scheduler) {
    PimOptions options;
    options.program.partition = partition;
    options.program.scheduler = scheduler;
    return options;
}

double sum_of_phases(const PimStep& step) {
    return std::accumulate(step.phases.begin(), step.phases.end(), 0.0,
                           [](double sum, const PhaseTime& phase) { return sum + phase.time_s; });
}

// 4,095 tokens and the new one: whole granules of every layout.
constexpr std::int64_t context = 4095;
const double attention_macs = 8.0 * 2 * 16 * 128 * 4096;

class PimStepSplit : public testing::TestWithParam<std::tuple<PimPartition, pim::Scheduler>> {};
INSTANTIATE_TEST_SUITE_P(Options, PimStepSplit,
                         testing::Combine(testing::Values(PimPartition::hfp, PimPartition::tcp),
                                          testing::Values(pim::Scheduler::in_order,
                                                          pim::Scheduler::ping_pong,
                                                          pim::Scheduler::dcs)));

TEST_P(PimStepSplit, multiplies_as_much_under_every_parallelism) {
    const PimOptions options = with(std::get<0>(GetParam()), std::get<1>(GetParam()));
    const PimMachine machine = toy_modules(8, true);
    for (const std::int64_t tp : {1, 2, 4, 8}) {
        const PimStep step =
            step_of(machine, tp, 8 / tp, options, std::vector<std::int64_t>(5, context));
        EXPECT_EQ(step.work.kernels.macs(), 5 * (toy_parameters() + attention_macs)) << tp;
        EXPECT_EQ(step.groups, std::min<std::int64_t>(5, 8 / tp));
        EXPECT_NEAR(sum_of_phases(step), step.step_s, 1e-9 * step.step_s);
        // All banks of all modules at work all the time.
        const double utilization = pim_mac_utilization(step, machine, description().timing);
        EXPECT_GT(utilization, 0);
        EXPECT_LT(utilization, 1);
        EXPECT_LE(step.mean_busy_s, step.step_s * (1 + 1e-9));
    }
}

TEST_P(PimStepSplit, a_processor_beside_the_banks_takes_the_weights_once) {
    const PimOptions options = with(std::get<0>(GetParam()), std::get<1>(GetParam()));
    const PimMachine machine = toy_modules(4, false);
    for (const std::int64_t tp : {1, 2, 4}) {
        const PimStep step =
            step_of(machine, tp, 4 / tp, options, std::vector<std::int64_t>(4, context));
        EXPECT_EQ(step.work.kernels.macs(), 4 * attention_macs);
        EXPECT_EQ(step.work.matrix_flops, 4 * 2 * toy_parameters());
        // Every group of requests reads all weights of the stages that it passes.
        EXPECT_EQ(step.work.external_bytes,
                  static_cast<double>(step.groups) * 2 * toy_parameters());
        EXPECT_GE(step.step_s, step.work.external_bytes / 4 / 1e12);
    }
}

TEST(PimStep, modules_that_work_alone_send_nothing) {
    const PimMachine machine = toy_modules(1, true);
    const PimStep step = step_of(machine, 1, 1, {}, {context});
    EXPECT_EQ(step.work.link_bytes, 0);
}

// By hand: in each of 8 layers 5 broadcasts and 5 gathers of 8 KiB, one of each of 16 KiB.
TEST(PimStep, collectives_take_what_the_link_says) {
    const PimMachine machine = toy_modules(2, true);
    const PimStep step = step_of(machine, 2, 1, {}, {context});
    const auto flits = [](double bytes) { return std::ceil(bytes / 192) * 256; };
    const double broadcasts = 5 * (flits(8192) / 5e9 + 1e-7) + flits(16384) / 5e9 + 1e-7;
    const double gathers = 5 * (flits(4096) / 1e10 + 1e-7) + flits(8192) / 1e10 + 1e-7;
    EXPECT_NEAR(step.phases[static_cast<std::size_t>(PimPhase::link)].time_s,
                8 * (broadcasts + gathers), 1e-12);
    EXPECT_EQ(step.work.link_bytes,
              8 * (5 * (flits(8192) + flits(4096)) + flits(16384) + flits(8192)));
}

TEST(PimStep, fewer_requests_than_stages_leave_stages_idle) {
    const PimMachine machine = toy_modules(8, true);
    const PimStep one = step_of(machine, 1, 8, {}, {context});
    const PimStep eight = step_of(machine, 1, 8, {}, std::vector<std::int64_t>(8, context));
    EXPECT_NEAR(one.mean_busy_s / one.step_s, 1.0 / 8, 0.01);
    // The last stage has the output head besides: the others wait for it.
    EXPECT_LT(eight.step_s, 2 * one.step_s);
    EXPECT_GT(eight.mean_busy_s / eight.step_s, 0.6);
}

TEST(PimStep, pairs_in_lockstep_wait_for_the_longest) {
    const PimMachine machine = toy_modules(1, true);
    const PimOptions hfp = with(PimPartition::hfp, pim::Scheduler::dcs);
    const PimStep mixed = step_of(machine, 1, 1, hfp, {255, 255, 255, 4095});
    const PimStep longest = step_of(machine, 1, 1, hfp, std::vector<std::int64_t>(4, 4095));
    EXPECT_EQ(mixed.step_s, longest.step_s);
    const PimOptions tcp = with(PimPartition::tcp, pim::Scheduler::dcs);
    EXPECT_LT(step_of(machine, 1, 1, tcp, {255, 255, 255, 4095}).step_s,
              step_of(machine, 1, 1, tcp, std::vector<std::int64_t>(4, 4095)).step_s);
}

TEST(PimStep, energy_counts_every_command_and_second_once) {
    const PimMachine machine = toy_modules(2, true);
    const PimOptions options = with(PimPartition::tcp, pim::Scheduler::in_order);
    const PimStep step = step_of(machine, 2, 1, options, {context});
    const auto parts = pim_energy(step, machine, description(), options);
    const auto part = [&](std::string_view name) {
        for (const EnergyShare& share : parts) {
            if (share.name == name) return share.j_per_token;
        }
        ADD_FAILURE() << name;
        return 0.0;
    };
    const pim::EnergyModel& model = description().energy;
    const double mac_j = step.work.kernels.macs() / 256 * model.mac16_rd_powers * model.rd_mw *
                         model.mac16_ns * 1e-12;
    EXPECT_NEAR(part("pim_mac"), mac_j, 1e-9 * mac_j);
    // 64 channels, a controller for two.
    EXPECT_NEAR(part("pim_controllers"), 32 * (0.2677 + 0.381) * step.step_s, 1e-9);
    EXPECT_GE(part("pim_standby"), 64 * 0.18315 * step.step_s);
    EXPECT_LE(part("pim_standby"), 64 * 0.26375 * step.step_s);
    EXPECT_NEAR(part("links"), step.work.link_bytes * 1e-11, 1e-15);
}

}  // namespace
}  // namespace memside
