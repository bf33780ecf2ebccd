#include "kv/simplex_search.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace memside::kv {
namespace {

struct Corner {
    std::vector<double> at;
    double value;
};

bool is_small(const std::vector<Corner>& simplex, const std::vector<double>& steps) {
    if (simplex.back().value - simplex.front().value >= 1e-4 * simplex.front().value) return false;
    for (const Corner& corner : simplex) {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const double distance = std::abs(corner.at[i] - simplex.front().at[i]);
            if (distance > 1e-3 * std::abs(steps[i])) return false;
        }
    }
    return true;
}

}  // namespace

SimplexResult simplex_search(const std::function<double(const std::vector<double>&)>& function,
                             std::vector<double> start, const std::vector<double>& steps,
                             std::int64_t evaluations) {
    assert(start.size() == steps.size() && !start.empty());
    std::int64_t calls = 0;
    const auto corner_at = [&](std::vector<double> at) {
        ++calls;
        const double value = function(at);
        return Corner{std::move(at), value};
    };
    std::vector<Corner> simplex{corner_at(start)};
    for (std::size_t i = 0; i < start.size(); ++i) {
        std::vector<double> moved = start;
        moved[i] += steps[i];
        simplex.push_back(corner_at(std::move(moved)));
    }
    const auto sort = [&] {
        std::ranges::stable_sort(simplex, {}, [](const Corner& corner) { return corner.value; });
    };
    sort();
    while (calls < evaluations && !is_small(simplex, steps)) {
        std::vector<double> centre(start.size(), 0.0);
        for (std::size_t c = 0; c + 1 < simplex.size(); ++c) {
            for (std::size_t i = 0; i < centre.size(); ++i) {
                centre[i] += simplex[c].at[i] / static_cast<double>(start.size());
            }
        }
        // The centre of the others, and so far beyond it, seen from the worst.
        const auto beyond = [&](double factor) {
            std::vector<double> at(centre.size());
            for (std::size_t i = 0; i < at.size(); ++i) {
                at[i] = centre[i] + factor * (centre[i] - simplex.back().at[i]);
            }
            return corner_at(std::move(at));
        };
        Corner reflected = beyond(1.0);
        if (reflected.value < simplex.front().value) {
            Corner expanded = beyond(2.0);
            simplex.back() = expanded.value < reflected.value ? expanded : reflected;
        } else if (reflected.value < simplex[simplex.size() - 2].value) {
            simplex.back() = reflected;
        } else {
            const bool outside = reflected.value < simplex.back().value;
            Corner contracted = beyond(outside ? 0.5 : -0.5);
            if (contracted.value < std::min(reflected.value, simplex.back().value)) {
                simplex.back() = contracted;
            } else {
                for (std::size_t c = 1; c < simplex.size(); ++c) {
                    std::vector<double> at = simplex[c].at;
                    for (std::size_t i = 0; i < at.size(); ++i) {
                        at[i] = 0.5 * (at[i] + simplex.front().at[i]);
                    }
                    simplex[c] = corner_at(std::move(at));
                }
            }
        }
        sort();
    }
    return {simplex.front().at, simplex.front().value, calls};
}

}  // namespace memside::kv
