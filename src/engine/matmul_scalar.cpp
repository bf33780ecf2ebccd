// The reference: plain loops, any processor.
#include "engine/dequantize.h"
#include "engine/half.h"
#include "engine/matmul.h"
#include "engine/matmul_unpack.h"

namespace memside::engine {
namespace {

struct Scalar {
    static float float_from_half(std::uint16_t bits) { return engine::float_from_half(bits); }
};

// Of chunk `c` and a token.
float dot_chunk(const WeightChunk& w, const QuantizedRows& x, std::int64_t token, std::int64_t c) {
    const std::int8_t* q = x.chunk(token, c);
    const std::int64_t at = 16 * (token * x.chunks + c);
    float total = 0.0F;
    for (int s = 0; s < 16; ++s) {
        std::int32_t dot = 0;
        for (int i = 16 * s; i < 16 * s + 16; ++i) {
            const std::int32_t n = x.terms == 2 ? 256 * q[i] + q[i + x.low_offset()] : q[i];
            dot += w.values[i] * n;
        }
        total += w.scales[s] * x.scales[at + s] * static_cast<float>(dot) +
                 w.offsets[s] * x.sums[at + s];
    }
    return total;
}

float weight_value(const Matrix& weight, const std::uint8_t* row, std::int64_t index) {
    if (weight.type == WeightType::f32) {
        float value = 0.0F;
        std::memcpy(&value, row + 4 * index, sizeof value);
        return value;
    }
    std::uint16_t bits = 0;
    std::memcpy(&bits, row + 2 * index, sizeof bits);
    return weight.type == WeightType::f16 ? float_from_half(bits) : float_from_bf16(bits);
}

void quantized_row(const MatmulTask& task, std::int64_t r) {
    const QuantizedRows x = task.activations->integers();
    const std::int64_t tokens = task.activations->rows();
    const std::uint8_t* row = task.weight.row(r);
    for (std::int64_t t = 0; t < tokens; ++t) task.y[t * task.y_stride + r] = 0.0F;
    for (std::int64_t c = 0; c < x.chunks; ++c) {
        WeightChunk w;
        Unpack<Scalar>::chunk(task.weight, row, c, w);
        for (std::int64_t t = 0; t < tokens; ++t) {
            task.y[t * task.y_stride + r] += dot_chunk(w, x, t, c);
        }
    }
}

void float_row(const MatmulTask& task, std::int64_t r) {
    const std::uint8_t* row = task.weight.row(r);
    for (std::int64_t t = 0; t < task.activations->rows(); ++t) {
        const float* x = task.activations->row(t);
        float total = 0.0F;
        for (std::int64_t i = 0; i < task.weight.columns; ++i) {
            total += weight_value(task.weight, row, i) * x[i];
        }
        task.y[t * task.y_stride + r] = total;
    }
}

}  // namespace

void matmul_rows_scalar(const MatmulTask& task) {
    const bool quantized = is_quantized(task.weight.type);
    for (std::int64_t r = task.first; r < task.last; ++r) {
        if (quantized) {
            quantized_row(task, r);
        } else {
            float_row(task, r);
        }
    }
}

void matmul_block_scalar(const MatmulTask& task) {
    for (std::int64_t r = task.first; r < task.last; ++r) {
        dequantize(task.weight.type, task.weight.row(r), task.weight.columns, task.scratch);
        for (std::int64_t t = 0; t < task.activations->rows(); ++t) {
            const float* x = task.activations->row(t);
            float total = 0.0F;
            for (std::int64_t i = 0; i < task.weight.columns; ++i) {
                total += task.scratch[i] * x[i];
            }
            task.y[t * task.y_stride + r] = total;
        }
    }
}

}  // namespace memside::engine
