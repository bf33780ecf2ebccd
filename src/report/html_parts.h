// The parts that html.cpp puts together. Internal to report/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/charts.h"
#include "report/format.h"
#include "report/span_charts.h"
#include "report/xy_charts.h"

namespace memside::embedded {

// Files that the build puts into the library (embed.cmake).
std::string_view chart_js();
std::string_view page_css();
std::string_view curves_js();
std::string_view page_js();

}  // namespace memside::embedded

namespace memside::html {

using Results = std::vector<SimulationResult>;

// Text for an element or a quoted attribute; control characters become '?'.
std::string escaped(std::string_view text);

// Index of the best among the results that fit and have the value; -1 without any.
int best_of(const Results& results, std::optional<double> SimulationResult::* value, bool largest);

std::string cards(const Results& results, const ResultLabels& labels);  // html_cards.cpp

// html_tables.cpp
std::string comparison_table(const Results& results, const ResultLabels& labels);
std::string counters(const Results& results, const ResultLabels& labels);
std::string assumptions(const Results& results, const ResultLabels& labels);
std::string constants(const Results& results, const ResultLabels& labels);
std::string reproduce(const Results& results, const std::string& command);

// The charts' places in the page, and the data block that page.js draws from (html_charts.cpp).
struct Charts {
    std::string figures;
    std::string data;  // JSON without '<', so that nothing in it can end its script element
};
Charts charts(const Results& results, const ResultLabels& labels);
// One per bar, in two parts.
using BarLabels = std::vector<std::pair<std::string, std::string>>;
// Any charts under a heading, with a note before them unless it is empty. `labels` are those of
// charts that have none of their own.
Charts draw_charts(const std::vector<Chart>& list, const BarLabels& labels,
                   std::string_view heading, const std::string& note = "",
                   const std::vector<XyChart>& xy = {}, const std::vector<SpanChart>& spans = {});

// A document around `body` and the charts' data, with style and scripts inside.
// `tag` says at the top what kind of figures they are.
std::string whole_page(std::string_view title, std::string_view lede, std::string_view body,
                       std::string_view data, std::string_view tag = "modelled, not measured");

}  // namespace memside::html
