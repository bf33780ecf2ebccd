#include "engine/weight_type.h"

#include "model/gguf_types.h"

namespace memside::engine {
namespace {

TEST(WeightType, blocks_are_those_of_the_file_format) {
    for (const WeightType type : weight_types()) {
        const GgmlType* layout = find_ggml_type(static_cast<std::uint32_t>(type));
        ASSERT_NE(layout, nullptr);
        EXPECT_EQ(block_values(type), layout->block_elements) << layout->name;
        EXPECT_EQ(block_bytes(type), layout->block_bytes) << layout->name;
        EXPECT_TRUE(is_weight_type(layout->id));
    }
    EXPECT_FALSE(is_weight_type(10));  // q2_k
    EXPECT_EQ(weight_type_list(), "f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k");
}

}  // namespace
}  // namespace memside::engine
