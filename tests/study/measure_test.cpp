#include "study/measure.h"

namespace memside {
namespace {

SimulationResult result() {
    SimulationResult r;
    r.batch = 4;
    r.tpot_s = 0.5;
    r.kv_bytes_per_request = 1024;
    r.phases = {{"attention", 0.3}, {"ffn", 0.2}};
    r.resources = {{"gpu", 0.2}};
    r.energy = {{"pnm", 7.0}};
    return r;
}

Measure measure(const std::string& name) {
    const auto parsed = Measure::parse(name, "e.yaml:1");
    EXPECT_TRUE(parsed.ok()) << name;
    return *parsed;
}

TEST(Measure, takes_scalars_phases_resources_and_energy_by_name) {
    EXPECT_EQ(measure("batch").of(result()), 4.0);
    EXPECT_EQ(measure("tpot_s").of(result()), 0.5);
    EXPECT_EQ(measure("kv_bytes_per_request").of(result()), 1024.0);
    EXPECT_EQ(measure("phase.attention").of(result()), 0.3);
    EXPECT_EQ(measure("busy.gpu").of(result()), 0.2);
    EXPECT_EQ(measure("energy.pnm").of(result()), 7.0);
}

TEST(Measure, a_part_that_is_not_there_is_zero_and_a_missing_value_is_none) {
    EXPECT_EQ(measure("phase.recall").of(result()), 0.0);
    EXPECT_EQ(measure("ttft_s").of(result()), std::nullopt);
}

TEST(Measure, where_nothing_fits_only_the_batch_has_a_value) {
    SimulationResult nothing = result();
    nothing.batch = 0;
    EXPECT_EQ(measure("batch").of(nothing), 0.0);
    EXPECT_EQ(measure("tpot_s").of(nothing), std::nullopt);
    EXPECT_EQ(measure("phase.recall").of(nothing), std::nullopt);
}

TEST(Measure, columns_carry_the_unit) {
    EXPECT_EQ(measure("phase.digest scan").column(), "phase_digest_scan_s");
    EXPECT_EQ(measure("energy.gpu").column(), "energy_gpu_j_per_token");
    EXPECT_EQ(measure("tokens_per_usd").column(), "tokens_per_usd");
}

TEST(Measure, what_is_no_number_of_a_result_is_refused) {
    for (const char* name : {"model", "digest", "throughput", "phase.", "reason"}) {
        const auto parsed = Measure::parse(name, "e.yaml:7");
        ASSERT_FALSE(parsed.ok()) << name;
        EXPECT_THAT(parsed.error().message(), testing::StartsWith("e.yaml:7: "));
    }
}

}  // namespace
}  // namespace memside
