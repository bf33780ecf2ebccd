// A model file opened for decoding: the tensors in place in the mapped file, norms and biases,
// which are small, as f32.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/decoder_config.h"
#include "engine/mapped_file.h"
#include "engine/weight_type.h"

namespace memside::engine {

// y = weight x + bias.
struct Linear {
    Matrix weight;
    std::vector<float> bias;  // empty: none
};

struct LayerWeights {
    std::vector<float> attention_norm;       // f32 [hidden]
    Linear query;                            // hidden -> heads x head_dim
    Linear key;                              // hidden -> kv_heads x head_dim
    Linear value;                            // hidden -> kv_heads x head_dim
    std::vector<float> query_norm;           // f32 [head_dim], or empty
    std::vector<float> key_norm;             // f32 [head_dim], or empty
    Linear attention_output;                 // heads x head_dim -> hidden
    std::vector<float> attention_post_norm;  // f32 [hidden], or empty
    std::vector<float> ffn_norm;             // f32 [hidden]
    Linear gate;                             // hidden -> ffn
    Linear up;                               // hidden -> ffn
    Linear down;                             // ffn -> hidden
    std::vector<float> ffn_post_norm;        // f32 [hidden], or empty
};

struct DecoderWeights {
    Matrix embedding;  // a row per token
    std::vector<LayerWeights> layers;
    std::vector<float> output_norm;   // f32 [hidden]
    Matrix output;                    // the embedding when tied
    std::vector<float> rope_factors;  // f32 [rope_dims / 2] by which angles are divided, or empty
};

struct ModelFile {
    GgufHeader header;
    std::vector<MappedFile> parts;  // what the matrices point into
    DecoderConfig config;
    DecoderWeights weights;
};

// Opens a GGUF file, or the first part of a split one. A file that cannot be decoded (unknown
// architecture, a tensor missing, of another shape or of a type that is not supported) is bad input
// in one line. Every tensor lies inside the mapped bytes.
Result<ModelFile> open_model(const std::string& path);

}  // namespace memside::engine
