// A model of any supported shape with random weights, as a GGUF file that other programs load too:
// for tests and for timing, where what a model says does not matter.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "engine/decoding_config.h"
#include "engine/quantize.h"
#include "model/model_spec.h"

namespace memside::engine {

struct RandomModel {
    ModelSpec spec;
    DecodingConfig config;
    // Of the matrices. One whose rows are no whole blocks is stored as f16; vectors are f32.
    WeightFormat format;
    std::uint64_t seed = 1;
};

// Writes the file, at any number of threads the same bytes (0: all cores), holding a few MiB and
// the vocabulary in memory. Matrices are normal with variance 1 / row length, so that activations
// keep their size; norm weights are near 1, biases of the size of what they are added to.
// `progress` is called with the bytes written so far and in total. bad_input for a shape that GGUF
// or a vocabulary of bytes cannot express; environment when the disk refuses.
Status make_model(const RandomModel& model, const std::string& path, unsigned threads,
                  const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace memside::engine
