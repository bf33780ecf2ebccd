// What a model description may say at most: far above any published model, and low enough that no
// 64-bit product of model_spec.cpp overflows (the largest is 2^48 feed-forward parameters, times 8
// bytes; KV bytes of a context of 2^30 tokens are 2^60 at most).
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside {

inline constexpr std::int64_t max_model_layers = 1024;
inline constexpr std::int64_t max_model_hidden = std::int64_t{1} << 17;
inline constexpr std::int64_t max_model_heads = std::int64_t{1} << 14;
inline constexpr std::int64_t max_model_head_dim = std::int64_t{1} << 13;
inline constexpr std::int64_t max_model_ffn = std::int64_t{1} << 20;
inline constexpr std::int64_t max_model_vocab = std::int64_t{1} << 24;
inline constexpr std::int64_t max_model_window = std::int64_t{1} << 30;
inline constexpr std::int64_t max_model_query_width = std::int64_t{1} << 20;  // heads x head_dim
inline constexpr std::int64_t max_model_kv_width = std::int64_t{1} << 17;     // kv_heads x head_dim

// The conditions between fields, for a spec whose single fields are within the limits above: heads
// a multiple of kv_heads, and both projection widths within their limits.
Status check_head_shape(const ModelSpec& spec, const std::string& where);

// head_dim where the description gives none: hidden / heads, which must be exact.
Result<int> derived_head_dim(const ModelSpec& spec, const std::string& where);

// Keeps the sliding fields of a spec in their canonical form: both empty when no layer slides.
void set_sliding(ModelSpec& spec, std::vector<bool> sliding, int window_tokens);

// Layers slide except every `period`-th one (Gemma 3: five of six).
std::vector<bool> periodic_sliding(int layers, std::int64_t period);

}  // namespace memside
