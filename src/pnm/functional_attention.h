// Attention of one new token over selected pages, on data and in the device's arithmetic.
//
// The tokens of the selected pages, in the order of the selection, form blocks of 128, the lanes of
// a tile; the last one may be partly filled. Per query head and block:
//   y_t = (q . k_t) x (scale x log2 e)                  adder tree, FP32
//   m' = max(m, ceil(max y_t))                          comparator tree; a whole number
//   w_t = 2^(y_t - m') x 2^15, rounded to FP16          SFU; the factor uses the range of FP16
//   s' = s 2^(m - m') + sum w_t                         adder tree, FP32
//   o'[c] = o[c] 2^(m - m') + sum w_t v_t[c]            adder tree over tokens, FP32
// and at the end o[c] x (1 / s), rounded to FP16. As m is whole, rescaling only moves exponents and
// adds no error, however many blocks there are (as in Softermax, Stevens et al., DAC 2021). Partial
// results merge as in FlashAttention (Dao et al., NeurIPS 2022).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "pnm/functional_pages.h"

namespace memside::pnm {

// Of one query head. Without tokens: maximum -infinity, sum 0, output 0. For a partner that counts
// in powers of e, the maximum is max x ln 2.
struct PartialAttention {
    float max = -std::numeric_limits<float>::infinity();  // a whole number
    float sum = 0.0F;                                     // of 2^(y - max)
    std::vector<float> output;                            // [head_dim], not yet divided by the sum
};

// Every query head over the given pages. `queries` [query_heads x head_dim].
std::vector<PartialAttention> attend(const KvPages& pages, std::span<const Half> queries,
                                     std::span<const std::int32_t> selected, float scale);

PartialAttention merge(const PartialAttention& a, const PartialAttention& b);

// The head's output; there must have been a token.
std::vector<Half> finish(const PartialAttention& partial);

// How far an output may be from exact attention over the same FP16 values.
struct AttentionErrorTerms {
    double score_magnitude = 0;  // largest of scale x sum_i |q_i k_i|
    double value_magnitude = 0;  // largest |v|
    std::size_t head_dim = 0;
    std::size_t tokens = 0;
    std::size_t blocks = 0;  // of all partial results, and one for every merge
};
double attention_error_bound(const AttentionErrorTerms& terms);

}  // namespace memside::pnm
