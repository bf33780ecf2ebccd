#include "engine/weight_type.h"

#include <array>

#include "base/text.h"
#include "model/gguf_types.h"

namespace memside::engine {
namespace {

constexpr std::array types{WeightType::f32,  WeightType::f16,  WeightType::bf16, WeightType::q4_0,
                           WeightType::q4_1, WeightType::q5_0, WeightType::q5_1, WeightType::q8_0,
                           WeightType::q4_k, WeightType::q5_k, WeightType::q6_k};

}  // namespace

std::span<const WeightType> weight_types() {
    return types;
}

bool is_weight_type(std::uint32_t id) {
    return std::ranges::find(types, static_cast<WeightType>(id)) != types.end();
}

std::string weight_type_list() {
    std::vector<std::string> names;
    for (const WeightType type : types) {
        names.emplace_back(find_ggml_type(static_cast<std::uint32_t>(type))->name);
    }
    return join(names, ", ");
}

bool is_quantized(WeightType type) {
    return type != WeightType::f32 && type != WeightType::f16 && type != WeightType::bf16;
}

}  // namespace memside::engine
