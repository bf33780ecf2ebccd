#include "calibrate/attention_fit.h"

#include <array>
#include <cmath>

namespace memside::calibrate {
namespace {

constexpr std::size_t unknowns = 3;
using Row = std::array<double, unknowns>;

// Least squares over the unknowns of `used`, the others being 0. False when it is not determined.
bool solve(const std::vector<Row>& rows, const std::array<bool, unknowns>& used, Row& x) {
    double m[unknowns][unknowns + 1] = {};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < unknowns; ++i) {
            for (std::size_t j = 0; j < unknowns; ++j) m[i][j] += row[i] * row[j];
            m[i][unknowns] += row[i];  // every equation is scaled to have 1 on the right
        }
    }
    for (std::size_t i = 0; i < unknowns; ++i) {
        if (used[i]) continue;
        for (std::size_t j = 0; j <= unknowns; ++j) m[i][j] = 0.0;
        for (std::size_t j = 0; j < unknowns; ++j) m[j][i] = 0.0;
        m[i][i] = 1.0;
    }
    for (std::size_t i = 0; i < unknowns; ++i) {
        std::size_t pivot = i;
        for (std::size_t r = i + 1; r < unknowns; ++r) {
            if (std::abs(m[r][i]) > std::abs(m[pivot][i])) pivot = r;
        }
        if (std::abs(m[pivot][i]) < 1e-300) return false;
        std::swap(m[i], m[pivot]);
        for (std::size_t r = 0; r < unknowns; ++r) {
            if (r == i) continue;
            const double factor = m[r][i] / m[i][i];
            for (std::size_t c = i; c <= unknowns; ++c) m[r][c] -= factor * m[i][c];
        }
    }
    for (std::size_t i = 0; i < unknowns; ++i) x[i] = m[i][unknowns] / m[i][i];
    return true;
}

double squares_of(const std::vector<Row>& rows, const Row& x) {
    double squares = 0.0;
    for (const Row& row : rows) {
        double value = -1.0;
        for (std::size_t i = 0; i < unknowns; ++i) value += row[i] * x[i];
        squares += value * value;
    }
    return squares;
}

}  // namespace

std::string attention_probe(const std::string& prefix, const std::string& type, int head_dim,
                            int rows) {
    return fmt::format("{}attention {} dim {} rows {}", prefix, type, head_dim, rows);
}

std::string overlap_probe(const std::string& prefix, int rows) {
    return fmt::format("{}attention from memory rows {}", prefix, rows);
}

double AttentionTimes::page_s(double tokens, double head_dim, int rows) const {
    const double passes = (rows + rows_per_pass - 1) / rows_per_pass;
    return tokens * (head_dim * (passes * read_s + rows * multiply_s) + rows * softmax_s);
}

AttentionTimes fit_attention(const PageSeconds& measured) {
    AttentionTimes best;
    double least = -1.0;
    constexpr int most_tried = 16;
    for (int pass = 1; pass <= most_tried; ++pass) {
        std::vector<Row> rows;
        for (const int dim : attention_dims) {
            for (const int heads : attention_rows) {
                const double scale = probe_page_tokens / measured(dim, heads);
                const double passes = (heads + pass - 1) / pass;
                rows.push_back({scale * dim * passes, scale * dim * heads, scale * heads});
            }
        }
        // Of all sets of constants that are not 0, the best whose solution is not negative.
        for (unsigned set = 1; set < 8; ++set) {
            Row x{};
            const std::array<bool, unknowns> used{(set & 1) != 0, (set & 2) != 0, (set & 4) != 0};
            if (!solve(rows, used, x)) continue;
            if (std::ranges::any_of(x, [](double value) { return value < 0.0; })) continue;
            const double squares = squares_of(rows, x);
            if (least >= 0.0 && squares >= least) continue;
            least = squares;
            best = {pass, x[0], x[1], x[2], std::sqrt(squares / static_cast<double>(rows.size()))};
        }
    }
    return best;
}

double fit_overlap(const std::vector<OverlapPoint>& points) {
    double hidden = 0.0;
    double squares = 0.0;
    for (const OverlapPoint& point : points) {
        const double longer = std::max(point.arithmetic_s, point.reading_s);
        const double shorter = std::min(point.arithmetic_s, point.reading_s);
        hidden += (longer + shorter - point.measured_s) * shorter;
        squares += shorter * shorter;
    }
    return std::clamp(hidden / squares, 0.0, 1.0);
}

}  // namespace memside::calibrate
