// The tensor types of ggml: how many values share a block, and its size in bytes.
// Source: the ggml project's type table (ggml.h, ggml.c).
#pragma once

#include <cstdint>
#include <string_view>

namespace memside {

struct GgmlType {
    std::uint32_t id;
    std::string_view name;  // lower case: "q4_k"
    int block_elements;
    int block_bytes;
};

// nullptr for an id that names no type. Types that ggml has removed since, but whose layout in a
// file is known, are included.
const GgmlType* find_ggml_type(std::uint32_t id);

}  // namespace memside
