// The engine against the golden figures and figures by hand.
#include "pim/golden_check.h"
#include "pim/simulation.h"

namespace memside::pim {
namespace {

Timing shipped_timing() {
    return *read_timing(std::string(MEMSIDE_SOURCE_DIR) + "/systems/timing/gddr6-aim.yaml");
}

SimulationResult run(const std::vector<Instruction>& instructions) {
    static const Timing timing = shipped_timing();
    const auto result = simulate({.instructions = instructions, .loops = {}, .strides = {}}, timing,
                                 {.refresh = RefreshMode::off});
    return result.ok() ? *result : SimulationResult{};
}

TEST(InOrder, all_golden_traces_come_out) {
    EXPECT_EQ(expect_golden_traces(run), 90u);
}

TEST(InOrder, all_golden_pairs_come_out) {
    EXPECT_EQ(expect_golden_programs(read_golden_pairs(), run), 229u);
}

TEST(InOrder, all_golden_programs_come_out) {
    EXPECT_EQ(expect_golden_programs(read_golden_programs(), run), 507u);
}

}  // namespace
}  // namespace memside::pim
