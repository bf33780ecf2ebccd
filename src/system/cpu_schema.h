// The constants of a machine that decodes on its own cores: rates and times of the engine's
// kernels, as `memside calibrate` measures them. docs/fidelity.md says how a step is made of them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "system/system_spec.h"

namespace memside {

const std::vector<SchemaKey>& cpu_schema();

// Contiguous bytes of the points of gather_* and of copy_*, ascending, and their names.
struct PiecePoint {
    std::string_view name;  // "16k"
    double bytes;
};
std::span<const PiecePoint> gather_points();
std::span<const PiecePoint> copy_points();

// Weight types that have matmul_cache_* and matmul_memory_*.
std::span<const std::string_view> measured_weight_types();

// Types of keys and values that have attention_*.
std::span<const std::string_view> measured_kv_types();

}  // namespace memside
