// The types of weights that the engine computes with, numbered as in GGUF files.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace memside::engine {

enum class WeightType : std::uint32_t {
    f32 = 0,
    f16 = 1,
    q4_0 = 2,
    q4_1 = 3,
    q5_0 = 6,
    q5_1 = 7,
    q8_0 = 8,
    q4_k = 12,
    q5_k = 13,
    q6_k = 14,
    bf16 = 30,
};

// All of them.
std::span<const WeightType> weight_types();

// Whether a type number of a file is among them.
bool is_weight_type(std::uint32_t id);

// "f32, f16, q4_0, ...": for messages.
std::string weight_type_list();

// Values that share a block, 1 to 256, and its bytes: as model/gguf_types.h has them.
constexpr int block_values(WeightType type) {
    switch (type) {
        case WeightType::f32:
        case WeightType::f16:
        case WeightType::bf16:
            return 1;
        case WeightType::q4_k:
        case WeightType::q5_k:
        case WeightType::q6_k:
            return 256;
        default:
            return 32;
    }
}
constexpr int block_bytes(WeightType type) {
    switch (type) {
        case WeightType::f32:
            return 4;
        case WeightType::f16:
        case WeightType::bf16:
            return 2;
        case WeightType::q4_0:
            return 18;
        case WeightType::q4_1:
            return 20;
        case WeightType::q5_0:
            return 22;
        case WeightType::q5_1:
            return 24;
        case WeightType::q8_0:
            return 34;
        case WeightType::q4_k:
            return 144;
        case WeightType::q5_k:
            return 176;
        case WeightType::q6_k:
            return 210;
    }
    return 0;
}

// Whether weights are integers with a scale, which are multiplied with integer activations.
bool is_quantized(WeightType type);

// Bytes of a row of `values`, which must be a multiple of the block.
constexpr std::int64_t row_bytes(WeightType type, std::int64_t values) {
    return values / block_values(type) * block_bytes(type);
}

// A weight matrix as it lies in the file, not owned: row o at data + o x row_bytes holds the
// weights of output o.
struct Matrix {
    WeightType type = WeightType::f32;
    std::int64_t rows = 0;     // outputs
    std::int64_t columns = 0;  // inputs
    const std::uint8_t* data = nullptr;

    std::int64_t bytes_per_row() const { return row_bytes(type, columns); }
    const std::uint8_t* row(std::int64_t index) const { return data + index * bytes_per_row(); }
    bool empty() const { return data == nullptr; }

    // Rows [first, first + count) as a matrix of their own.
    Matrix slice(std::int64_t first, std::int64_t count) const {
        return {type, count, columns, row(first)};
    }
};

}  // namespace memside::engine
