#include "kv/trace_fit.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "kv/simplex_search.h"

namespace memside::kv {
namespace {

// Rates below it hardly count: a page in a thousand.
constexpr double negligible = 0.001;
// Bursts as high as they are by default, in units of sigma.
constexpr double burst_sigmas = 2.0;

double clamp_share(double value) {
    return std::clamp(value, 1e-4, 1.0 - 1e-4);
}

double logit(double share) {
    return std::log(share / (1.0 - share));
}

double logistic(double x) {
    return 1.0 / (1.0 + std::exp(-x));
}

// What the correlation says: exponential decay from `peak` at lag 0 to `floor`.
struct Decay {
    double peak = 1.0;   // the part that is no jitter
    double floor = 0.0;  // the part that stays
    double keep = 0.0;   // of what decays, the share that is left after a step
    double error = 0.0;  // sum of squares
};

// For a given `keep`, correlation is linear in 1 and keep^lag: least squares.
Decay decay_with(const TraceStatistics& recorded, double keep) {
    double n = 0.0;
    double x = 0.0;
    double xx = 0.0;
    double y = 0.0;
    double xy = 0.0;
    const auto each = [&](const auto& use) {
        for (std::size_t i = 0; i < correlation_lags.size(); ++i) {
            if (correlation_lags[i] >= recorded.steps) continue;
            use(std::pow(keep, static_cast<double>(correlation_lags[i])), recorded.correlation[i]);
        }
    };
    each([&](double power, double value) {
        n += 1.0;
        x += power;
        xx += power * power;
        y += value;
        xy += power * value;
    });
    const double det = n * xx - x * x;
    double slope = det > 1e-12 ? (n * xy - x * y) / det : 0.0;
    double floor = n > 0.0 ? (y - slope * x) / n : 0.0;
    if (slope < 0.0) {
        slope = 0.0;
        floor = y / n;
    }
    if (floor < 0.0) {
        floor = 0.0;
        slope = xx > 0.0 ? std::max(xy / xx, 0.0) : 0.0;
    }
    Decay decay{std::min(slope + floor, 1.0), floor, keep, 0.0};
    each([&](double power, double value) {
        const double difference = floor + slope * power - value;
        decay.error += difference * difference;
    });
    return decay;
}

Decay decay_of(const TraceStatistics& recorded) {
    Decay best = decay_with(recorded, 0.0);
    // Decay over 1 to 300 steps, in a fine enough grid.
    for (int i = 0; i <= 120; ++i) {
        const double steps = std::pow(300.0, i / 120.0);
        const Decay decay = decay_with(recorded, std::exp(-1.0 / steps));
        if (decay.error < best.error) best = decay;
    }
    return best;
}

// boost / (1 + age / half) through the excess of new pages, least squares over a grid of halves.
void set_recency(const TraceStatistics& recorded, std::int64_t page_tokens,
                 SyntheticParameters& parameters) {
    double least = -1.0;
    for (int i = 0; i <= 80; ++i) {
        const double half_pages = std::pow(2.0, -2.0 + i / 8.0);
        double xx = 0.0;
        double xy = 0.0;
        double yy = 0.0;
        for (std::size_t level = 0; level < recorded.recency.size(); ++level) {
            const double age = level == 0 ? 0.0 : 1.5 * std::pow(2.0, double(level) - 1.0) - 0.5;
            const double x = half_pages / (half_pages + age);
            const double y = recorded.recency[level];
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
        const double boost = xx > 0.0 ? std::clamp(xy / xx, 0.0, 100.0) : 0.0;
        const double error = yy - 2.0 * boost * xy + boost * boost * xx;
        if (least >= 0.0 && error >= least) continue;
        least = error;
        parameters.recency_boost = boost;
        parameters.recency_half_tokens =
            std::max(half_pages * static_cast<double>(page_tokens), 1.0);
    }
}

// What is searched: each variable unbounded, with its inverse.
std::vector<double> to_search(const SyntheticParameters& p) {
    return {std::log(p.sigma), logit(clamp_share(p.persistence)), logit(clamp_share(p.drift)),
            std::log(std::max(p.jitter, 1e-3)), std::log(std::max(p.burst_rate, 1e-6))};
}

SyntheticParameters from_search(SyntheticParameters p, const std::vector<double>& x) {
    p.sigma = std::clamp(std::exp(x[0]), 1e-3, 20.0);
    p.persistence = logistic(x[1]);
    p.drift = logistic(x[2]);
    p.jitter = std::min(std::exp(x[3]), 10.0);
    p.burst_rate = std::min(std::exp(x[4]), 0.1);
    p.burst_boost = std::min(burst_sigmas * p.sigma, 100.0);
    return p;
}

}  // namespace

double FittedFigure::error() const {
    return std::log((fitted + negligible) / (recorded + negligible));
}

std::vector<FittedFigure> compare_statistics(const TraceStatistics& recorded,
                                             const TraceStatistics& fitted) {
    assert(recorded.budgets.size() == fitted.budgets.size());
    std::vector<FittedFigure> figures;
    for (std::size_t b = 0; b < recorded.budgets.size(); ++b) {
        const BudgetStatistics& r = recorded.budgets[b];
        const BudgetStatistics& f = fitted.budgets[b];
        const std::int64_t budget = r.budget_pages;
        figures.push_back({"drop_out_rate", budget, r.drop_out_rate, f.drop_out_rate});
        figures.push_back({"steady_share", budget, r.steady_share, f.steady_share});
        figures.push_back({"overlap", budget, r.overlap, f.overlap});
        figures.push_back({"settled_drop_out", budget, r.settled_drop_out, f.settled_drop_out});
        figures.push_back({"mass", budget, r.mass, f.mass});
        for (std::size_t i = 0; i < lifetime_ages.size(); i += 2) {
            if (lifetime_ages[i] >= recorded.steps) continue;
            figures.push_back({fmt::format("outlives_{}", lifetime_ages[i]), budget, r.outlives[i],
                               f.outlives[i]});
        }
    }
    return figures;
}

double statistics_distance(const TraceStatistics& recorded, const TraceStatistics& fitted) {
    const std::vector<FittedFigure> figures = compare_statistics(recorded, fitted);
    double squares = 0.0;
    for (const FittedFigure& figure : figures) squares += figure.error() * figure.error();
    return std::sqrt(squares / static_cast<double>(figures.size()));
}

SyntheticParameters closed_form_parameters(const TraceStatistics& recorded,
                                           std::int64_t page_tokens) {
    SyntheticParameters p;
    const Decay decay = decay_of(recorded);
    const double peak = std::max(decay.peak, 1e-3);
    p.sigma = std::clamp(recorded.sigma * std::sqrt(peak), 1e-3, 20.0);
    p.jitter = std::min(std::sqrt((1.0 - peak) / peak), 10.0);
    p.persistence = std::min(decay.floor / peak, 1.0);
    p.drift = std::sqrt(std::max(1.0 - decay.keep * decay.keep, 0.0));
    // One page holds the first tokens, whatever they are.
    p.sink_pages = 1.0;
    p.sink_boost = std::clamp(recorded.sink_excess, 0.0, 100.0);
    set_recency(recorded, page_tokens, p);
    // Uniform within +- spread: its deviation is spread / sqrt(3).
    p.drift_spread = std::clamp(std::numbers::sqrt3 * recorded.drop_out_spread, 0.0, 1.0);
    p.burst_rate = 0.0;
    p.burst_boost = std::min(burst_sigmas * p.sigma, 100.0);
    return p;
}

TraceStatistics synthetic_statistics(const SyntheticParameters& parameters,
                                     const TraceStatistics& like, const FitOptions& options) {
    std::vector<std::int64_t> budgets;
    for (const BudgetStatistics& budget : like.budgets) budgets.push_back(budget.budget_pages);
    const auto source = make_synthetic_scores(parameters, options.shape, options.seed);
    return mean_statistics(trace_statistics(*source, all_streams(1, options.synthetic_streams),
                                            {0, like.steps}, budgets, options.threads));
}

TraceFit fit_synthetic(const TraceStatistics& recorded, const FitOptions& options) {
    TraceFit fit;
    fit.start = closed_form_parameters(recorded, options.shape.page_tokens);
    const auto distance_at = [&](const SyntheticParameters& parameters) {
        options.evaluated(++fit.evaluations);
        return statistics_distance(recorded, synthetic_statistics(parameters, recorded, options));
    };
    fit.start_distance = distance_at(fit.start);
    const SimplexResult found = simplex_search(
        [&](const std::vector<double>& x) { return distance_at(from_search(fit.start, x)); },
        to_search(fit.start), {0.2, 0.7, 0.7, 1.0, 3.0}, options.evaluations - 1);
    fit.parameters = from_search(fit.start, found.at);
    // Without bursts at all, which the logarithm cannot say, or where the search has lost itself.
    SyntheticParameters quiet = fit.parameters;
    quiet.burst_rate = 0.0;
    fit.distance = found.value;
    for (const SyntheticParameters& other : {quiet, fit.start}) {
        const double distance = distance_at(other);
        if (distance > fit.distance) continue;
        fit.distance = distance;
        fit.parameters = other;
    }
    fit.fitted = synthetic_statistics(fit.parameters, recorded, options);
    return fit;
}

}  // namespace memside::kv
