#include "report/span_charts.h"

#include "report/sample_results.h"

namespace memside::html {
namespace {

std::vector<SpanChart> charts_of(const std::vector<SimulationResult>& results) {
    return build_span_charts(results, label_results(results));
}

TEST(SpanCharts, every_task_is_a_span_on_the_row_of_its_resource) {
    const SimulationResult result = samples::near_memory();
    const auto charts = charts_of({result});
    ASSERT_EQ(charts.size(), 1u);
    EXPECT_EQ(charts[0].rows, result.layer_timeline->resources);
    std::size_t spans = 0;
    double time = 0;
    for (const SpanSeries& series : charts[0].series) {
        for (const Span& span : series.spans) {
            ++spans;
            time += span.end - span.start;
            EXPECT_LT(span.row, charts[0].rows.size());
            EXPECT_LE(span.end, charts[0].end);
        }
    }
    double expected = 0;
    for (const TimelineTask& task : result.layer_timeline->tasks) expected += task.duration_s;
    EXPECT_EQ(spans, result.layer_timeline->tasks.size());
    EXPECT_NEAR(time, expected * 1e6, 1e-6);
}

TEST(SpanCharts, the_fastest_result_of_each_policy_is_drawn) {
    auto slow = samples::near_memory();
    slow.throughput_tok_per_s = 1;
    auto other = samples::near_memory();
    other.policy = "recall";
    other.system = "other";
    const auto charts = charts_of({slow, samples::near_memory(), other});
    ASSERT_EQ(charts.size(), 2u);
    EXPECT_NE(charts[0].title.find("pnm-kv"), std::string::npos);
    EXPECT_NE(charts[1].title.find("recall"), std::string::npos);
}

TEST(SpanCharts, a_phase_has_one_colour_in_all_charts) {
    auto other = samples::near_memory();
    other.policy = "recall";
    other.layer_timeline->tasks.erase(other.layer_timeline->tasks.begin());
    const auto charts = charts_of({samples::near_memory(), other});
    ASSERT_EQ(charts.size(), 2u);
    for (const SpanSeries& one : charts[0].series) {
        for (const SpanSeries& two : charts[1].series) {
            EXPECT_EQ(one.name == two.name, one.fill == two.fill);
        }
    }
}

TEST(SpanCharts, results_without_a_timeline_or_a_fit_have_none) {
    auto result = samples::near_memory();
    result.layer_timeline.reset();
    auto nothing = samples::near_memory();
    nothing.batch = 0;
    EXPECT_TRUE(charts_of({result, nothing}).empty());
}

}  // namespace
}  // namespace memside::html
