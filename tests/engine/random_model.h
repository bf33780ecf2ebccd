// Small models with random weights: as a file for the engine, and as numbers for a reference.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/weight_type.h"
#include "model/gguf_writer.h"

namespace memside::engine::test {

using memside::test::GgufShape;
using memside::test::GgufWriter;

struct RandomModel {
    GgufShape shape;
    double norm_epsilon = 1e-5;
    double rope_base = 10000.0;
    double sliding_rope_base = 10000.0;
    double linear_factor = 1.0;
    std::uint32_t sliding_window = 0;  // gemma3
    double logit_cap = 0.0;
    bool rope_factors = false;
    WeightType type = WeightType::f32;        // of the matrices
    WeightType other_type = WeightType::f32;  // of every third of them
    std::uint64_t seed = 1;

    std::string file;                                    // the whole GGUF file
    std::map<std::string, std::vector<double>> tensors;  // dequantised, by name
    std::map<std::string, std::uint64_t> columns;        // the width of each
};

// Fills `file` and `tensors` from the fields above them.
void build(RandomModel& model);

// Logits after every token, f64 [tokens][vocab], from reference_model.h, with keys and values
// rounded to f16.
std::vector<std::vector<double>> reference_logits(const RandomModel& model,
                                                  const std::vector<int>& tokens);

}  // namespace memside::engine::test
