#include "model/length_distribution.h"

#include <array>
#include <cassert>
#include <cmath>

#include "base/text.h"

namespace memside {
namespace {

constexpr std::string_view published =
    "LoL-PIM and PIMphony (arXiv 2412.20166): input lengths of LongBench and LV-Eval";

constexpr std::array statistics{
    LengthStatistics{"qmsum", 13966, 6182, 2651, 30456, 32768, published},
    LengthStatistics{"musique", 16362, 1651, 6820, 17917, 32768, published},
    LengthStatistics{"multifieldqa", 60780, 31025, 20333, 119480, 131072, published},
    LengthStatistics{"loogle-sd", 50693, 26506, 13347, 109221, 131072, published},
};

// The continued fraction of I_x(a, b), by the method of Lentz (Abramowitz and Stegun, 26.5.8).
double continued_fraction(double a, double b, double x) {
    constexpr double tiny = 1e-300;
    constexpr int most_terms = 500;
    const auto not_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
    double c = 1.0;
    double d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    double result = d;
    for (int m = 1; m <= most_terms; ++m) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1.0 / not_zero(1.0 + even * d);
        c = not_zero(1.0 + even / c);
        result *= d * c;
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1.0 / not_zero(1.0 + odd * d);
        c = not_zero(1.0 + odd / c);
        result *= d * c;
        if (std::abs(d * c - 1.0) < 1e-15) break;
    }
    return result;
}

}  // namespace

std::span<const LengthStatistics> length_statistics() {
    return statistics;
}

Result<LengthStatistics> find_length_statistics(std::string_view name, const std::string& where) {
    std::string names;
    for (const LengthStatistics& one : statistics) {
        if (one.name == name) return one;
        names += (names.empty() ? "" : ", ");
        names += one.name;
    }
    return bad_input(
        where, fmt::format("no lengths are known of {}; allowed: {}", in_quotes(name), names));
}

double incomplete_beta(double a, double b, double x) {
    if (x <= 0.0) return 0.0;
    if (x >= 1.0) return 1.0;
    const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                  a * std::log(x) + b * std::log1p(-x));
    // The fraction converges fast below the mean; above it the other tail is taken.
    if (x < (a + 1.0) / (a + b + 2.0)) return front * continued_fraction(a, b, x) / a;
    return 1.0 - front * continued_fraction(b, a, 1.0 - x) / b;
}

LengthDistribution::LengthDistribution(const LengthStatistics& of)
    : smallest_(static_cast<double>(of.smallest_tokens)),
      range_(static_cast<double>(of.largest_tokens - of.smallest_tokens)) {
    const double mean = (of.mean_tokens - smallest_) / range_;
    const double variance = std::pow(of.deviation_tokens / range_, 2.0);
    const double sum = mean * (1.0 - mean) / variance - 1.0;
    assert(mean > 0.0 && mean < 1.0 && sum > 0.0);
    alpha_ = mean * sum;
    beta_ = (1.0 - mean) * sum;
}

std::int64_t LengthDistribution::quantile(double u) const {
    // Halving: the function is monotone, and a token is far wider than what it is exact to.
    double low = 0.0;
    double high = 1.0;
    while ((high - low) * range_ > 1e-3) {
        const double middle = 0.5 * (low + high);
        (incomplete_beta(alpha_, beta_, middle) <= u ? low : high) = middle;
    }
    return static_cast<std::int64_t>(std::llround(smallest_ + 0.5 * (low + high) * range_));
}

}  // namespace memside
