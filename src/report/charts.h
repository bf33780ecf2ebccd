// What the charts of the page show. Every text, unit and colour is decided here; page.js only
// draws. Internal to report/.
#pragma once

#include <string>
#include <vector>

#include "report/format.h"

namespace memside::html {

// One colour's worth of a chart. `fill` names a custom property of page.css.
struct Series {
    std::string name;
    std::string fill;
    std::vector<double> values;      // per bar
    std::vector<std::string> texts;  // the same with the unit
};

struct Chart {
    std::string id;
    std::string title;
    std::string subtitle;  // what is drawn and its unit
    std::string axis;
    // One per bar, in two parts: "a100x2-pnm8", "pnm-kv". Empty: those of the page.
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<Series> series;
    std::vector<std::string> ends;   // written after each bar
    std::vector<std::string> notes;  // written where there is no bar; empty where there is one
    bool wide = false;
    bool shares = false;     // offer the view where every bar is 100 %
    bool full_mark = false;  // mark 100: what a device holds
    bool highlight = false;  // draw only the best bar in the full colour
};

// The results that charts draw, by index and in their own order: all, or the fastest 24.
std::vector<std::size_t> drawn_results(const std::vector<SimulationResult>& results);

// Throughput and batch (of several results), time by phase, memory, energy by part: those for which
// some result has figures. Bars follow `order`.
std::vector<Chart> build_charts(const std::vector<SimulationResult>& results,
                                const ResultLabels& labels, const std::vector<std::size_t>& order);

}  // namespace memside::html
