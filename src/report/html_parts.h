// The parts that html.cpp puts together. Internal to report/.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/format.h"

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

}  // namespace memside::html
