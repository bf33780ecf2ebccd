// Charts with two axes of numbers: what is on the front of speed against cost, pages over time. As
// in charts.h every text and colour is decided here; page/xy.js only draws. Internal to report/.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "report/format.h"

namespace memside::html {

struct XyPoint {
    double x = 0;
    double y = 0;
    std::string text;   // shown when pointed at
    std::string label;  // stands beside the point; may be empty
};

struct XySeries {
    std::string name;
    std::string fill;  // a custom property of page.css
    bool line = false;
    bool markers = true;
    bool dashed = false;
    std::vector<XyPoint> points;  // in the order of x where a line joins them
};

struct XyChart {
    std::string id;
    std::string title;
    std::string subtitle;
    std::string x_axis;
    std::string y_axis;
    std::vector<XySeries> series;
    bool whole_x = false;  // x counts something: whole numbers only
    // The part of the axis that is drawn; nothing: from 0 to beyond the largest value.
    std::optional<std::pair<double, double>> y_range;
    bool wide = false;
};

// Indices of the points that no other beats in both coordinates (larger is better), by x. Of equal
// points the first is kept.
std::vector<std::size_t> pareto_front(const std::vector<std::pair<double, double>>& points);

// Throughput and tokens per dollar against the speed of one request, when several results decode
// the same model and context; batch, queue and live KV over time of served workloads; pages by step
// of the results that recall any.
std::vector<XyChart> build_xy_charts(const std::vector<SimulationResult>& results,
                                     const ResultLabels& labels,
                                     const std::vector<std::size_t>& order);

}  // namespace memside::html
