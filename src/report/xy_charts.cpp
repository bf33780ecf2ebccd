#include "report/xy_charts.h"

#include <cmath>

namespace memside::html {
namespace {

using Results = std::vector<SimulationResult>;

constexpr std::size_t most_lines = 7;    // colours that remain easy to tell apart
constexpr std::size_t most_labels = 12;  // points with their name beside them

// A front over different models or contexts would compare what nobody chooses between.
bool comparable(const Results& results, const std::vector<std::size_t>& order) {
    const SimulationResult& first = results[order.front()];
    return std::all_of(order.begin(), order.end(), [&](std::size_t i) {
        return results[i].model == first.model && results[i].context_tokens == first.context_tokens;
    });
}

struct FrontText {
    std::string id, title, subtitle, axis;
};

// `value` against tokens per second of one request.
void add_front(const Results& results, const ResultLabels& labels,
               const std::vector<std::size_t>& order,
               std::optional<double> SimulationResult::* value, const FrontText& text,
               std::vector<XyChart>& charts) {
    std::vector<std::pair<double, double>> points;
    std::vector<std::size_t> drawn;
    for (const std::size_t i : order) {
        const SimulationResult& r = results[i];
        if (r.batch == 0 || !(r.*value) || r.tpot_s.value_or(0) <= 0) continue;
        if (!std::isfinite(1 / *r.tpot_s)) continue;  // a denormal from a file
        points.emplace_back(1 / *r.tpot_s, *(r.*value));
        drawn.push_back(i);
    }
    if (drawn.size() < 2) return;
    XyChart chart;
    chart.id = text.id;
    chart.title = text.title;
    chart.subtitle = text.subtitle;
    chart.x_axis = "tok/s of one request";
    chart.y_axis = text.axis;
    const std::vector<std::size_t> front = pareto_front(points);
    XySeries best{"on the front", "--accent", true, true, false, {}};
    XySeries beaten{"beaten in both", "--soft", false, true, false, {}};
    const auto point = [&](std::size_t k) {
        const auto& label = labels.labels[drawn[k]];
        return XyPoint{points[k].first, points[k].second,
                       fmt::format("{}: {} tok/s each, {} {}", label.line(),
                                   figure(points[k].first), figure(points[k].second), text.axis),
                       drawn.size() <= most_labels ? label.main : ""};
    };
    for (const std::size_t k : front) best.points.push_back(point(k));
    for (std::size_t k = 0; k < drawn.size(); ++k) {
        if (std::find(front.begin(), front.end(), k) == front.end()) {
            beaten.points.push_back(point(k));
        }
    }
    chart.series.push_back(std::move(best));
    if (!beaten.points.empty()) chart.series.push_back(std::move(beaten));
    charts.push_back(std::move(chart));
}

// One line of `value` by step.
XySeries by_step(const SimulationResult& result, const std::string& name, std::string fill,
                 double PageStep::* value) {
    XySeries series{name, std::move(fill), true, true, false, {}};
    for (std::size_t step = 0; step < result.page_steps.size(); ++step) {
        const double pages = result.page_steps[step].*value;
        series.points.push_back(
            {static_cast<double>(step + 1), pages,
             fmt::format("{}, step {}: {} pages", name, step + 1, figure(pages)), ""});
    }
    return series;
}

void add_pages(const Results& results, const ResultLabels& labels,
               const std::vector<std::size_t>& order, std::vector<XyChart>& charts) {
    XyChart chart;
    chart.id = "pages";
    chart.title = "Pages over time";
    chart.x_axis = "step";
    chart.y_axis = "pages";
    chart.whole_x = true;
    chart.wide = true;
    const SimulationResult* first = nullptr;
    bool same_drop_out = true;
    for (const std::size_t i : order) {
        const SimulationResult& r = results[i];
        if (r.page_steps.size() < 2) continue;
        if (first == nullptr) first = &r;
        for (std::size_t s = 0; s < std::min(r.page_steps.size(), first->page_steps.size()); ++s) {
            same_drop_out &= r.page_steps[s].dropped_out == first->page_steps[s].dropped_out;
        }
        const bool recalls = std::any_of(r.page_steps.begin(), r.page_steps.end(),
                                         [](const PageStep& step) { return step.recalled > 0; });
        if (!recalls || chart.series.size() == most_lines) continue;
        chart.series.push_back(by_step(r, labels.labels[i].line() + ": recalled",
                                       fmt::format("--part{}", chart.series.size()),
                                       &PageStep::recalled));
    }
    if (first == nullptr) return;
    // Without recalls, or when all results select alike, one line says how selection drifts.
    if (chart.series.empty() || same_drop_out) {
        chart.series.push_back(
            by_step(*first, "dropped out of the selection", "--other", &PageStep::dropped_out));
        chart.series.back().dashed = true;
    }
    chart.subtitle = fmt::format("means per request and layer; {} pages are selected at a step",
                                 figure(first->page_steps.front().selected));
    charts.push_back(std::move(chart));
}

XySeries over_time(const SimulationResult& result, const std::string& name, std::string fill,
                   double ServingPoint::* value, double scale, const char* unit) {
    XySeries series{name, std::move(fill), true, false, false, {}};
    for (const ServingPoint& point : result.serving) {
        const double y = scale * (point.*value);
        series.points.push_back(
            {point.time_s, y,
             fmt::format("{}: {}{} at {} s", name, figure(y), unit, figure(point.time_s)), ""});
    }
    return series;
}

XyChart time_chart(std::string_view id, std::string_view title, std::string_view subtitle,
                   std::string_view unit) {
    XyChart chart;
    chart.id = std::string(id);
    chart.title = std::string(title);
    chart.subtitle = std::string(subtitle);
    chart.x_axis = std::string("s");
    chart.y_axis = std::string(unit);
    chart.wide = true;
    return chart;
}

// Of one result its batch and its queue; of several their batches.
void add_requests_over_time(const Results& results, const ResultLabels& labels,
                            const std::vector<std::size_t>& served, std::vector<XyChart>& charts) {
    XyChart chart =
        time_chart("requests", "Requests over time",
                   "that decode together, joining and leaving between steps", "requests");
    const bool alone = served.size() == 1;
    for (const std::size_t i : served) {
        chart.series.push_back(over_time(results[i], alone ? "running" : labels.labels[i].line(),
                                         fmt::format("--part{}", chart.series.size()),
                                         &ServingPoint::batch, 1.0, ""));
    }
    if (alone) {
        chart.series.push_back(over_time(results[served.front()], "waiting in the queue", "--other",
                                         &ServingPoint::waiting, 1.0, ""));
        chart.series.back().dashed = true;
    }
    charts.push_back(std::move(chart));
}

void add_memory_over_time(const Results& results, const ResultLabels& labels,
                          const std::vector<std::size_t>& served, std::vector<XyChart>& charts) {
    XyChart chart =
        time_chart("live-kv", "Memory over time", "live KV, per cent of what weights leave", "%");
    chart.y_range = std::pair{0.0, 100.0};
    for (const std::size_t i : served) {
        chart.series.push_back(over_time(results[i],
                                         served.size() == 1 ? "live KV" : labels.labels[i].line(),
                                         fmt::format("--part{}", chart.series.size()),
                                         &ServingPoint::kv_live_share, 100.0, " %"));
    }
    charts.push_back(std::move(chart));
}

void add_serving(const Results& results, const ResultLabels& labels,
                 const std::vector<std::size_t>& order, std::vector<XyChart>& charts) {
    std::vector<std::size_t> served;
    for (const std::size_t i : order) {
        if (results[i].serving.size() > 1 && served.size() < most_lines) served.push_back(i);
    }
    if (served.empty()) return;
    add_requests_over_time(results, labels, served, charts);
    add_memory_over_time(results, labels, served, charts);
}

}  // namespace

std::vector<std::size_t> pareto_front(const std::vector<std::pair<double, double>>& points) {
    std::vector<std::size_t> order(points.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if (points[a].first != points[b].first) return points[a].first > points[b].first;
        if (points[a].second != points[b].second) return points[a].second > points[b].second;
        return a < b;
    });
    std::vector<std::size_t> front;
    for (const std::size_t i : order) {
        if (front.empty() || points[i].second > points[front.back()].second) front.push_back(i);
    }
    std::reverse(front.begin(), front.end());
    return front;
}

std::vector<XyChart> build_xy_charts(const Results& results, const ResultLabels& labels,
                                     const std::vector<std::size_t>& order) {
    std::vector<XyChart> charts;
    if (order.empty()) return charts;
    if (comparable(results, order)) {
        add_front(results, labels, order, &SimulationResult::throughput_tok_per_s,
                  {"front", "Throughput against speed",
                   "all requests together, and each of them; better is up and right", "tok/s"},
                  charts);
        add_front(results, labels, order, &SimulationResult::tokens_per_usd,
                  {"money", "Tokens for a dollar against speed",
                   "hardware and electricity; better is up and right", "tok/USD"},
                  charts);
    }
    add_serving(results, labels, order, charts);
    add_pages(results, labels, order, charts);
    return charts;
}

}  // namespace memside::html
