#include "calibrate/probe.h"

namespace memside::calibrate {
namespace {

TEST(ProbeTest, the_spread_is_half_the_distance_of_the_quartiles) {
    const Sample sample = sample_of({10.0, 30.0, 20.0, 40.0, 50.0});
    EXPECT_DOUBLE_EQ(sample.median, 30.0);
    EXPECT_DOUBLE_EQ(sample.spread, (40.0 - 20.0) / 2.0 / 30.0);
    EXPECT_DOUBLE_EQ(sample_of({7.0}).spread, 0.0);
}

TEST(ProbeTest, probes_take_turns_and_the_first_does_not_count) {
    std::string order;
    double value = 100.0;
    ProbeSet probes;
    probes.add("a", [&] {
        order += 'a';
        return value;
    });
    probes.add("b", [&] {
        order += 'b';
        value = 1.0;
        return 2.0;
    });
    std::size_t last = 0;
    const auto samples = probes.run(3, [&](std::size_t taken, std::size_t of) {
        EXPECT_EQ(taken, last + 1);
        EXPECT_EQ(of, 8U);
        last = taken;
    });
    EXPECT_EQ(order, "abababab");
    EXPECT_EQ(last, 8U);
    EXPECT_DOUBLE_EQ(samples.at("a").median, 1.0);
    EXPECT_DOUBLE_EQ(samples.at("a").spread, 0.0);
}

}  // namespace
}  // namespace memside::calibrate
