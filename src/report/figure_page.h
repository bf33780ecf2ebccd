// A page with charts and tables that its caller has made: what an experiment shows. The same style,
// script and offline rule as html.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cluster/result.h"
#include "report/charts.h"
#include "report/xy_charts.h"

namespace memside {

struct FigureTable {
    std::string heading;
    std::string note;
    std::vector<std::string> heads;
    std::vector<bool> numeric;  // per column: right-aligned
    std::vector<std::vector<std::string>> rows;
};

// The table as a section of a page.
std::string figure_table(const FigureTable& table);

struct FigurePage {
    std::string title;
    std::string lede;
    std::vector<std::string> notes;
    std::vector<html::Chart> charts;       // each with labels of its own
    std::vector<html::XyChart> xy_charts;  // after them
    std::string charts_heading = "The figure";
    std::vector<FigureTable> tables;
    // What the figures rest on, at least one; their labels say which of them an assumption is of.
    std::vector<SimulationResult> results;
    std::string command;  // that makes the page again
};

std::string figure_page(const FigurePage& page);

// A chart of the caller's own: one bar per label, `series` stacked in it, the values times `scale`.
// Bars without any value have `note` in their place.
struct FigureSeries {
    std::string name;
    std::string fill;  // a custom property of page.css; empty: by its number
    std::vector<std::optional<double>> values;
};
html::Chart figure_chart(std::string id, std::string title, std::string subtitle, std::string unit,
                         double scale, std::vector<std::pair<std::string, std::string>> labels,
                         const std::vector<FigureSeries>& series, const std::string& note);

}  // namespace memside
