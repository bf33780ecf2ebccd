// What one decoder layer computes, as the compiler is told: a model's shape, norms and positions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside::compiler {

// heads, kv_heads and head_dim of 0 are not known before the step runs: see any_layer().
struct LayerDescription {
    std::string model;
    int layers = 1;  // of the model
    int layer = 0;
    int hidden = 0;
    int heads = 0;
    int kv_heads = 0;
    int head_dim = 0;
    int ffn = 0;
    int window = 0;  // tokens that the layer sees; 0: all
    bool qkv_bias = false;
    bool output_bias = false;
    bool qk_norm = false;
    bool post_norms = false;
    bool gelu_gate = false;            // else SiLU
    bool adjacent_pairs = false;       // the rotation's; else halves
    std::vector<float> rope_divisors;  // of the rotation's angles by pair; empty: none
    double norm_epsilon = 0;
    double attention_scale = 0;  // multiplies q.k
    double rope_base = 0;
    double rope_scale = 1;  // of positions
};

// Of layer `layer` of a model that load_model() gave: reads the file again that it came from, a
// config.json or a GGUF file. Weights have the names and the order that they have in GGUF files.
// bad_input: a layer that the model lacks, rotation of a part of a head, YaRN, biases of the FFN.
Result<LayerDescription> describe_layer(const ModelSpec& spec, std::int64_t layer);

// The attention of any model's layer; it has no other kernel.
LayerDescription any_layer();

}  // namespace memside::compiler
