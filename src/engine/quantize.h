// Weights from f32 into a GGUF tensor type. Source: the block formats of ggml (ggml-quants.c).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace memside::engine {

struct WeightFormat {
    std::string_view name;  // as --type has it
    std::uint32_t ggml_type;
    std::uint32_t file_type;  // general.file_type of a file whose matrices have it
    std::int64_t block_values;
    std::int64_t block_bytes;
    // Appends `values`, whole blocks of finite numbers, to `out`.
    void (*append)(std::span<const float> values, std::string& out);

    std::int64_t bytes(std::int64_t values) const { return values / block_values * block_bytes; }
};

// f32, f16, q8_0 and q4_0: what make-model writes.
std::span<const WeightFormat> weight_formats();
const WeightFormat& weight_format(std::string_view name);  // one of those names

}  // namespace memside::engine
