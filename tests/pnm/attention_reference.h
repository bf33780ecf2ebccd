// Attention in f64, and how far the device's arithmetic is from it.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "pnm/functional_attention.h"
#include "pnm/functional_tile.h"
#include "pnm/random_values.h"

namespace memside::pnm {

struct Reference {
    std::vector<double> output;
    double score_magnitude = 0;
    double value_magnitude = 0;
    std::size_t tokens = 0;
};

// Exact attention of one head over the same FP16 values, in f64 and without blocks.
inline Reference reference(const KvPages& pages, std::span<const Half> query, std::size_t kv_head,
                           std::span<const std::int32_t> selected, double scale) {
    Reference result;
    result.output.assign(query.size(), 0.0);
    std::vector<double> scores;
    std::vector<std::span<const Half>> values;
    for (const std::int32_t page : selected) {
        const auto at = static_cast<std::size_t>(page);
        for (std::size_t token = 0; token < pages.tokens_of(at); ++token) {
            const auto key = pages.key(at, token, kv_head);
            double score = 0;
            double magnitude = 0;
            for (std::size_t i = 0; i < query.size(); ++i) {
                const double product = static_cast<double>(to_float(query[i])) * to_float(key[i]);
                score += product;
                magnitude += std::abs(product);
            }
            scores.push_back(score * scale);
            values.push_back(pages.value(at, token, kv_head));
            result.score_magnitude = std::max(result.score_magnitude, magnitude * scale);
        }
    }
    const double max = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (std::size_t t = 0; t < scores.size(); ++t) {
        const double weight = std::exp(scores[t] - max);
        sum += weight;
        for (std::size_t i = 0; i < query.size(); ++i) {
            const double value = to_float(values[t][i]);
            result.output[i] += weight * value;
            result.value_magnitude = std::max(result.value_magnitude, std::abs(value));
        }
    }
    for (double& value : result.output) value /= sum;
    result.tokens = scores.size();
    return result;
}

inline double largest_error(const std::vector<Half>& output, const Reference& exact) {
    double worst = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
        worst =
            std::max(worst, std::abs(static_cast<double>(to_float(output[i])) - exact.output[i]));
    }
    return worst;
}

inline double bound_of(const Reference& exact, std::size_t blocks) {
    return attention_error_bound(
        {exact.score_magnitude, exact.value_magnitude, exact.output.size(), exact.tokens, blocks});
}

inline std::size_t blocks_of(std::size_t tokens) {
    return (tokens + tile_lanes - 1) / tile_lanes;
}

}  // namespace memside::pnm
