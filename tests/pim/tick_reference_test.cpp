// The ticking reference against the golden figures: what the engine is compared with must itself
// be right.
#include "pim/tick_reference.h"

#include "pim/golden_check.h"
#include "pim/trace_text.h"

namespace memside::pim {
namespace {

SimulationResult run(const std::vector<Instruction>& instructions) {
    return ticking::tick(instructions);
}

TEST(TickReference, all_golden_traces_come_out) {
    EXPECT_EQ(expect_golden_traces(run), 90u);
}

TEST(TickReference, all_golden_pairs_come_out) {
    EXPECT_EQ(expect_golden_programs(read_golden_pairs(), run), 229u);
}

TEST(TickReference, all_golden_programs_come_out) {
    EXPECT_EQ(expect_golden_programs(read_golden_programs(), run), 507u);
}

}  // namespace
}  // namespace memside::pim
