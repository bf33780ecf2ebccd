#include "report/xy_charts.h"

#include <rapidcheck/gtest.h>

#include <numeric>

#include "report/sample_results.h"

namespace memside::html {
namespace {

std::vector<XyChart> charts_of(const std::vector<SimulationResult>& results) {
    std::vector<std::size_t> order(results.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    return build_xy_charts(results, label_results(results), order);
}

std::vector<std::string> ids(const std::vector<XyChart>& charts) {
    std::vector<std::string> out;
    for (const XyChart& chart : charts) out.push_back(chart.id);
    return out;
}

using Points = std::vector<std::pair<double, double>>;

RC_GTEST_PROP(ParetoFront, it_holds_just_the_points_that_no_other_beats, ()) {
    const auto points = *rc::gen::container<Points>(rc::gen::pair(
        rc::gen::map(rc::gen::inRange(0, 6), [](int x) { return static_cast<double>(x); }),
        rc::gen::map(rc::gen::inRange(0, 6), [](int y) { return static_cast<double>(y); })));
    const std::vector<std::size_t> front = pareto_front(points);
    const auto beats = [&](std::size_t a, std::size_t b) {
        const bool no_worse =
            points[a].first >= points[b].first && points[a].second >= points[b].second;
        return no_worse && (points[a] != points[b] || a < b);
    };
    for (std::size_t i = 0; i < points.size(); ++i) {
        bool beaten = false;
        for (std::size_t k = 0; k < points.size(); ++k) beaten |= k != i && beats(k, i);
        const bool on_front = std::find(front.begin(), front.end(), i) != front.end();
        RC_ASSERT(on_front == !beaten);
    }
    for (std::size_t i = 1; i < front.size(); ++i) {
        RC_ASSERT(points[front[i - 1]].first < points[front[i]].first);
    }
}

TEST(XyCharts, results_that_fit_are_points_of_speed_and_throughput) {
    const auto charts = charts_of(samples::demo());
    ASSERT_EQ(ids(charts), (std::vector<std::string>{"front", "money", "pages"}));
    // 1 / 0.2 s and 1 / 0.045 s; the result that does not fit is no point.
    const XySeries& front = charts[0].series.at(0);
    ASSERT_EQ(front.points.size(), 2u);
    EXPECT_DOUBLE_EQ(front.points[0].x, 5);
    EXPECT_DOUBLE_EQ(front.points[0].y, 480);
    EXPECT_DOUBLE_EQ(front.points[1].x, 1 / 0.045);
    EXPECT_EQ(charts[0].series.size(), 1u);
}

TEST(XyCharts, a_served_workload_has_batch_queue_and_memory_over_time) {
    SimulationResult served = samples::near_memory();
    served.page_steps.clear();
    served.serving = {{0.0, 4.0, 2.0, 0.5}, {1.5, 6.0, 0.0, 0.75}};
    const auto charts = charts_of({served});
    ASSERT_EQ(ids(charts), (std::vector<std::string>{"requests", "live-kv"}));
    ASSERT_EQ(charts[0].series.size(), 2u);
    EXPECT_EQ(charts[0].series[0].points[1].x, 1.5);
    EXPECT_EQ(charts[0].series[0].points[1].y, 6.0);
    EXPECT_EQ(charts[0].series[1].points[0].y, 2.0);
    EXPECT_EQ(charts[1].series[0].points[1].y, 75.0);
    EXPECT_EQ(charts[1].y_range, (std::pair{0.0, 100.0}));
}

TEST(XyCharts, another_context_is_not_compared) {
    auto results = samples::demo();
    results.back().context_tokens *= 2;
    EXPECT_EQ(ids(charts_of(results)), std::vector<std::string>{"pages"});
}

TEST(XyCharts, pages_that_are_not_recalled_show_how_selection_drifts) {
    const auto charts = charts_of({samples::near_memory()});
    ASSERT_EQ(ids(charts), std::vector<std::string>{"pages"});
    ASSERT_EQ(charts[0].series.size(), 1u);
    EXPECT_TRUE(charts[0].series[0].dashed);
    ASSERT_EQ(charts[0].series[0].points.size(), 3u);
    EXPECT_EQ(charts[0].series[0].points[1].y, 42);
    EXPECT_EQ(charts[0].series[0].points[1].x, 2);
}

TEST(XyCharts, results_that_recall_have_a_line_each) {
    auto first = samples::near_memory();
    auto second = first;
    first.policy = "recall";
    second.policy = "png-kv";
    for (PageStep& step : first.page_steps) step.recalled = 10;
    for (PageStep& step : second.page_steps) step.recalled = 5;
    const auto charts = charts_of({first, second});
    const XyChart& pages = charts.back();
    ASSERT_EQ(pages.series.size(), 3u);  // and what both drop out
    EXPECT_EQ(pages.series[0].points[0].y, 10);
    EXPECT_EQ(pages.series[1].points[0].y, 5);
    EXPECT_TRUE(pages.series[2].dashed);
}

TEST(XyCharts, without_results_there_are_none) {
    EXPECT_TRUE(charts_of({}).empty());
}

}  // namespace
}  // namespace memside::html
