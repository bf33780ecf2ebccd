// Sums, quantiles and curves of a served workload.
#include "cluster/serving_statistics.h"

namespace memside {
namespace {

TEST(WeightedSample, quantiles_count_every_value_as_often_as_it_came) {
    WeightedSample sample;
    sample.add(3.0, 1);
    sample.add(1.0, 90);
    sample.add(2.0, 9);
    EXPECT_NEAR(sample.mean(), (3.0 + 90.0 + 18.0) / 100, 1e-12);
    EXPECT_EQ(sample.quantile(0.5), 1.0);
    EXPECT_EQ(sample.quantile(0.90), 1.0);
    EXPECT_EQ(sample.quantile(0.95), 2.0);
    EXPECT_EQ(sample.quantile(0.99), 2.0);
    EXPECT_EQ(sample.quantile(1.0), 3.0);
    EXPECT_EQ(WeightedSample().quantile(0.5), 0.0);
}

TEST(ServingStatistics, a_long_curve_keeps_its_means) {
    ServingStatistics statistics;
    double batch_s = 0.0;
    double live_s = 0.0;
    double all_s = 0.0;
    for (int i = 0; i < 5000; ++i) {
        StepCost cost;
        cost.step_s = 0.5 + (i % 7) * 0.1;
        cost.kv_live_share = (i % 11) / 11.0;
        const int batch = 1 + i % 13;
        statistics.step(cost, batch, 0, 1.0);
        statistics.tokens(cost.step_s, batch);
        batch_s += batch * cost.step_s;
        live_s += cost.kv_live_share * cost.step_s;
        all_s += cost.step_s;
    }
    ServedResult result;
    statistics.finish(result);
    ASSERT_LE(result.curve.size(), 200U);
    double batch = 0.0;
    double live = 0.0;
    for (const ServingPoint& point : result.curve) {
        batch += point.batch / static_cast<double>(result.curve.size());
        live += point.kv_live_share / static_cast<double>(result.curve.size());
    }
    EXPECT_NEAR(batch, batch_s / all_s, 1e-9);
    EXPECT_NEAR(batch, result.batch, 1e-9);
    EXPECT_NEAR(live, live_s / all_s, 1e-9);
}

}  // namespace
}  // namespace memside
