// What runs when: a layer of a step, a row per resource. Every text and colour is decided here;
// page/spans.js only draws. Internal to report/.
#pragma once

#include <string>
#include <vector>

#include "report/format.h"

namespace memside::html {

struct Span {
    std::size_t row = 0;
    double start = 0;  // microseconds
    double end = 0;
    std::string text;  // shown when pointed at
};

struct SpanSeries {
    std::string name;  // a phase
    std::string fill;  // a custom property of page.css
    std::vector<Span> spans;
};

struct SpanChart {
    std::string id;
    std::string title;
    std::string subtitle;
    std::vector<std::string> rows;  // resources
    std::vector<SpanSeries> series;
    double end = 0;  // microseconds
};

// The layer timeline of the fastest result of each policy, in the order of the results; four at
// most. A phase has the same colour in all of them.
std::vector<SpanChart> build_span_charts(const std::vector<SimulationResult>& results,
                                         const ResultLabels& labels);

}  // namespace memside::html
