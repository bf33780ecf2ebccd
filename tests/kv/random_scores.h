// Random inputs for the property tests of kv/: drawn from a seed that RapidCheck picks, so that a
// failing case is named by its seed and sizes.
#pragma once

#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace memside::kv {

// Scores with many exact ties, both zeros and both infinities: where selection could go wrong.
inline std::vector<float> tied_scores(std::size_t pages, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> step(-4, 4);
    std::uniform_int_distribution<int> special(0, 19);
    std::vector<float> scores(pages);
    for (float& score : scores) {
        score = 0.5F * static_cast<float>(step(random));
        switch (special(random)) {
            case 0:
                score = -0.0F;
                break;
            case 1:
                score = std::numeric_limits<float>::infinity();
                break;
            case 2:
                score = -std::numeric_limits<float>::infinity();
                break;
            default:
                break;
        }
    }
    return scores;
}

// Normal values scaled per call by a power of ten from 1e-6 to 1e4.
inline std::vector<float> normal_values(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const float scale = std::pow(10.0F, static_cast<float>(random() % 11) - 6.0F);
    std::vector<float> values(count);
    for (float& value : values) value = scale * normal(random);
    return values;
}

// Half of the time scores full of ties, half of the time scores that hardly ever tie.
inline std::vector<float> some_scores(std::size_t pages, std::uint32_t seed) {
    return seed % 2 == 0 ? tied_scores(pages, seed) : normal_values(pages, seed);
}

}  // namespace memside::kv
