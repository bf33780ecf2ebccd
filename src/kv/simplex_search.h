// The least value of a function of a few variables without derivatives: the simplex method of
// Nelder and Mead (The Computer Journal 7, 1965) with their coefficients.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace memside::kv {

struct SimplexResult {
    std::vector<double> at;
    double value = 0.0;
    std::int64_t evaluations = 0;
};

// Begins with a simplex of `start` and, for each variable, `start` moved by that variable's `step`.
// Ends after `evaluations` calls, or when the values of the simplex differ by less than 1e-4 of the
// least and its corners by less than a thousandth of the steps. Deterministic.
SimplexResult simplex_search(const std::function<double(const std::vector<double>&)>& function,
                             std::vector<double> start, const std::vector<double>& steps,
                             std::int64_t evaluations);

}  // namespace memside::kv
