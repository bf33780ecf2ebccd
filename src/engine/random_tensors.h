// The tensors of a random model: names, shapes and how their values are distributed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/make_model.h"

namespace memside::engine {

struct RandomTensor {
    std::string name;
    std::vector<std::int64_t> dims;  // dims[0] is the row length
    WeightFormat format;
    float mean = 0.0F;
    float deviation = 0.0F;
    std::vector<float> values = {};  // given: these instead of random ones

    std::int64_t elements() const;
    std::int64_t bytes() const { return format.bytes(elements()); }
};

// In the order of the file. The names are those of llama.cpp's converter.
std::vector<RandomTensor> random_tensors(const RandomModel& model);

// The divisors of the rotation angles that llama3 scaling stands for, head_dim / 2 of them: 1 for
// wavelengths far below the original window, `factor` far above it, smooth between.
std::vector<float> llama3_rope_divisors(const StatedRopeScaling& scaling, double base,
                                        int head_dim);

}  // namespace memside::engine
