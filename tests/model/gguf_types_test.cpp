#include "model/gguf_types.h"

namespace memside {
namespace {

// Bits per weight as the formats' names and documentation give them.
TEST(GgmlTypes, bits_per_weight_are_the_documented_ones) {
    const auto bits = [](std::uint32_t id) {
        const GgmlType* type = find_ggml_type(id);
        return 8.0 * type->block_bytes / type->block_elements;
    };
    EXPECT_EQ(bits(0), 32.0);     // f32
    EXPECT_EQ(bits(1), 16.0);     // f16
    EXPECT_EQ(bits(30), 16.0);    // bf16
    EXPECT_EQ(bits(8), 8.5);      // q8_0
    EXPECT_EQ(bits(2), 4.5);      // q4_0
    EXPECT_EQ(bits(12), 4.5);     // q4_k
    EXPECT_EQ(bits(14), 6.5625);  // q6_k
    EXPECT_EQ(bits(10), 2.625);   // q2_k
    EXPECT_EQ(bits(16), 2.0625);  // iq2_xxs
    EXPECT_EQ(bits(34), 1.6875);  // tq1_0
    EXPECT_EQ(bits(39), 4.25);    // mxfp4
}

TEST(GgmlTypes, ids_are_found_by_themselves_and_gaps_are_not) {
    for (std::uint32_t id = 0; id < 43; ++id) {
        const GgmlType* type = find_ggml_type(id);
        ASSERT_EQ(type == nullptr, id == 4 || id == 5) << id;
        if (type != nullptr) {
            EXPECT_EQ(type->id, id);
        }
    }
    EXPECT_EQ(find_ggml_type(43), nullptr);
    EXPECT_EQ(find_ggml_type(0xffffffff), nullptr);
}

}  // namespace
}  // namespace memside
