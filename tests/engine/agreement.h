// How close f32 logits are to those of a reference.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace memside::engine::test {

struct Agreement {
    double cosine;  // of the angle between the two
    double error;   // length of the difference over that of the reference
};

inline Agreement compare(std::span<const float> got, const std::vector<double>& want) {
    double dot = 0.0;
    double got_squares = 0.0;
    double want_squares = 0.0;
    double differences = 0.0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const auto g = static_cast<double>(got[i]);
        dot += g * want[i];
        got_squares += g * g;
        want_squares += want[i] * want[i];
        differences += (g - want[i]) * (g - want[i]);
    }
    return {dot / std::sqrt(got_squares * want_squares), std::sqrt(differences / want_squares)};
}

// The index of the largest value, the token that greedy decoding takes.
template <typename Values>
std::size_t largest(const Values& values) {
    return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) -
                                    values.begin());
}

}  // namespace memside::engine::test
