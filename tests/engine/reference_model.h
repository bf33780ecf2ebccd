// The forward passes of the four architectures in f64, written from their description (norms,
// biases, rotation, windows, gates) and from nothing of the engine: slow, obvious, and what decides
// when two engines differ.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace memside::engine::test {

struct ReferenceModel {
    std::string architecture;  // llama, qwen2, qwen3 or gemma3
    std::size_t layers = 0;
    std::size_t hidden = 0;
    std::size_t heads = 0;
    std::size_t kv_heads = 0;
    std::size_t head_dim = 0;
    std::size_t ffn = 0;
    std::size_t vocab = 0;
    bool tied = false;          // the output matrix is the embedding
    bool fused_qkv = false;     // rows of query, key and value in one matrix
    bool rope_factors = false;  // rope_freqs.weight divides the angles
    double norm_epsilon = 0.0;
    double attention_scale = 0.0;  // multiplies q.k
    double rope_base = 10000.0;
    double sliding_rope_base = 10000.0;
    double linear_factor = 1.0;      // positions are divided by it
    double yarn_factor = 1.0;        // 1: no YaRN
    double yarn_context = 0.0;       // tokens of the original training
    std::size_t sliding_window = 0;  // gemma3
    std::size_t sliding_period = 6;  // every layer of this number attends to all
    double logit_cap = 0.0;

    // The values of a row of a tensor, as its type stores them. A vector is one row.
    std::function<std::vector<double>(const std::string& tensor, std::size_t row)> row;

    // All arithmetic is f64. Keys and values may be rounded to f16, as engines store them.
    bool f16_cache = false;
};

// Logits after tokens [first, end) of a sequence that starts with tokens[0]: f64 [end -
// first][vocab].
std::vector<std::vector<double>> reference_logits(const ReferenceModel& model,
                                                  const std::vector<int>& tokens,
                                                  std::size_t first = 0);

// The model in a GGUF file, which stays mapped while the result lives. bad_input when a key is
// missing or asks for what is not described here.
Result<ReferenceModel> reference_of_file(const std::string& path);

}  // namespace memside::engine::test
