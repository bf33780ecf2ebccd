// The error bound of functional attention, from the roundings on the way of a token's weight.
#include <cmath>

#include "pnm/functional_attention.h"
#include "pnm/functional_sfu.h"
#include "pnm/functional_tile.h"

namespace memside::pnm {

double attention_error_bound(const AttentionErrorTerms& terms) {
    const double u = float_roundoff;
    const auto slices = std::ceil(static_cast<double>(terms.head_dim) / tile_lanes);
    const auto blocks = static_cast<double>(terms.blocks);

    // A score passes the tree, the sum over slices and the scaling by a rounded factor. It errs in
    // proportion to the sum of its products' magnitudes, and so does its distance to the maximum.
    const double score = terms.score_magnitude * u * (tree_levels + slices + 3.0);
    const double difference = (2.0 * terms.score_magnitude + 1.0) * u;
    // The largest weight is at least half of 2^15, so the roundings of subnormal weights count
    // against a sum of at least 2^14.
    const double weight = std::expm1(score + difference) + exp2_relative_error + half_roundoff +
                          static_cast<double>(terms.tokens) * half_subnormal_roundoff * 0x1p-14;
    // Weights that err by a share e move a weighted mean by at most e / (1 - e) times the mean
    // distance of the values from it, and that is at most their standard deviation, so max|v|.
    const double mean = weight / (1.0 - weight);
    // Output and sum are rounded apart from each other, in the tree and at every block.
    const double sums = 2.0 * (tree_levels + blocks) * u;
    const double end = reciprocal_relative_error + 2.0 * u + half_roundoff;
    return terms.value_magnitude * (mean + sums + end) + half_subnormal_roundoff;
}

}  // namespace memside::pnm
