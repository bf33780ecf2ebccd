#include "engine/dequantize.h"

#include "engine/random_weights.h"

namespace memside::engine {
namespace {

std::vector<float> values_of(WeightType type, const std::vector<std::uint8_t>& bytes) {
    const std::size_t blocks = bytes.size() / static_cast<std::size_t>(block_bytes(type));
    std::vector<float> values(blocks * static_cast<std::size_t>(block_values(type)));
    dequantize(type, bytes.data(), static_cast<std::int64_t>(values.size()), values.data());
    return values;
}

std::vector<std::uint8_t> empty_block(WeightType type) {
    return std::vector<std::uint8_t>(static_cast<std::size_t>(block_bytes(type)));
}

TEST(Dequantize, floats_are_taken_as_they_are) {
    EXPECT_THAT(values_of(WeightType::f32, {0, 0, 0x20, 0x40}), testing::ElementsAre(2.5F));
    EXPECT_THAT(values_of(WeightType::f16, {0x00, 0x41, 0x00, 0xC0}),
                testing::ElementsAre(2.5F, -2.0F));
    EXPECT_THAT(values_of(WeightType::bf16, {0x20, 0x40}), testing::ElementsAre(2.5F));
}

TEST(Dequantize, q8_0_is_a_scale_times_signed_bytes) {
    auto block = empty_block(WeightType::q8_0);
    test::put_half(block.data(), 0.5F);
    block[2] = 0x80;   // -128
    block[33] = 0x7F;  // 127
    const auto values = values_of(WeightType::q8_0, block);
    EXPECT_EQ(values[0], -64.0F);
    EXPECT_EQ(values[1], 0.0F);
    EXPECT_EQ(values[31], 63.5F);
}

TEST(Dequantize, q4_0_holds_the_first_half_in_the_low_nibbles_less_eight) {
    auto block = empty_block(WeightType::q4_0);
    test::put_half(block.data(), 2.0F);
    block[2] = 0xF3;   // values 0 and 16
    block[17] = 0x08;  // values 15 and 31
    const auto values = values_of(WeightType::q4_0, block);
    EXPECT_EQ(values[0], 2.0F * (3 - 8));
    EXPECT_EQ(values[16], 2.0F * (15 - 8));
    EXPECT_EQ(values[15], 0.0F);
    EXPECT_EQ(values[31], 2.0F * -8);
}

TEST(Dequantize, q4_1_adds_a_minimum) {
    auto block = empty_block(WeightType::q4_1);
    test::put_half(block.data(), 2.0F);
    test::put_half(block.data() + 2, -1.5F);
    block[4] = 0xF3;
    const auto values = values_of(WeightType::q4_1, block);
    EXPECT_EQ(values[0], 4.5F);
    EXPECT_EQ(values[16], 28.5F);
    EXPECT_EQ(values[1], -1.5F);
}

TEST(Dequantize, q5_0_and_q5_1_have_the_fifth_bit_of_value_i_in_bit_i) {
    auto block = empty_block(WeightType::q5_0);
    test::put_half(block.data(), 1.0F);
    block[2] = 0x01;  // bit 0: value 0
    block[4] = 0x02;  // bit 17: value 17
    block[6] = 0x05;  // value 0: 5, value 16: 0
    block[7] = 0x70;  // value 1: 0, value 17: 7
    const auto values = values_of(WeightType::q5_0, block);
    EXPECT_EQ(values[0], 16 + 5 - 16);
    EXPECT_EQ(values[16], -16);
    EXPECT_EQ(values[1], -16);
    EXPECT_EQ(values[17], 16 + 7 - 16);

    auto with_minimum = empty_block(WeightType::q5_1);
    test::put_half(with_minimum.data(), 1.0F);
    test::put_half(with_minimum.data() + 2, 100.0F);
    with_minimum[7] = 0x80;   // bit 31: value 31
    with_minimum[23] = 0x40;  // value 31: 4
    EXPECT_EQ(values_of(WeightType::q5_1, with_minimum)[31], 100 + 16 + 4);
}

TEST(Dequantize, scales_of_six_bits_come_out_of_the_twelve_bytes_they_are_packed_in) {
    // Packed here from the format's description, the other way round.
    const int scales[8] = {1, 63, 17, 32, 5, 60, 33, 15};
    const int minima[8] = {2, 40, 63, 0, 48, 31, 16, 62};
    std::uint8_t packed[12] = {};
    for (int i = 0; i < 4; ++i) {
        packed[i] = static_cast<std::uint8_t>(scales[i] | (scales[i + 4] >> 4) << 6);
        packed[i + 4] = static_cast<std::uint8_t>(minima[i] | (minima[i + 4] >> 4) << 6);
        packed[i + 8] = static_cast<std::uint8_t>((scales[i + 4] & 15) | (minima[i + 4] & 15) << 4);
    }
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(unpack_scale(packed, i).scale, scales[i]) << i;
        EXPECT_EQ(unpack_scale(packed, i).minimum, minima[i]) << i;
    }
}

TEST(Dequantize, q4_k_scales_sub_blocks_of_32_in_alternating_nibbles) {
    auto block = empty_block(WeightType::q4_k);
    test::put_half(block.data(), 0.5F);
    test::put_half(block.data() + 2, 0.25F);
    block[4 + 1] = 3;       // scale of sub-block 1
    block[4 + 5] = 2;       // its minimum
    block[4 + 8] = 0x47;    // sub-block 4: scale 7, minimum 4
    block[16 + 0] = 0x9A;   // values 0 (low) and 32 (high)
    block[16 + 64] = 0x06;  // value 128
    const auto values = values_of(WeightType::q4_k, block);
    EXPECT_EQ(values[0], 0.0F);  // scale 0
    EXPECT_EQ(values[32], 0.5F * 3 * 9 - 0.25F * 2);
    EXPECT_EQ(values[33], -0.25F * 2);
    EXPECT_EQ(values[128], 0.5F * 7 * 6 - 0.25F * 4);
}

TEST(Dequantize, q5_k_takes_fifth_bits_from_a_bit_per_sub_block) {
    auto block = empty_block(WeightType::q5_k);
    test::put_half(block.data(), 1.0F);
    for (int i = 0; i < 4; ++i) block[static_cast<std::size_t>(4 + i)] = 1;
    for (int i = 0; i < 4; ++i) block[static_cast<std::size_t>(12 + i)] = 1;
    block[16 + 5] = 0b10000010;  // value 5 of sub-blocks 1 and 7
    block[48 + 5] = 0x31;        // sub-block 0: 1, sub-block 1: 3
    block[48 + 96 + 5] = 0xC0;   // sub-block 7: 12
    const auto values = values_of(WeightType::q5_k, block);
    EXPECT_EQ(values[5], 1.0F);
    EXPECT_EQ(values[32 + 5], 16.0F + 3);
    EXPECT_EQ(values[7 * 32 + 5], 16.0F + 12);
    EXPECT_EQ(values[7 * 32 + 6], 0.0F);
}

TEST(Dequantize, q6_k_puts_quarters_of_a_half_into_nibbles_and_bit_pairs) {
    auto block = empty_block(WeightType::q6_k);
    test::put_half(block.data() + 208, 0.5F);
    for (std::size_t s = 0; s < 16; ++s) block[192 + s] = static_cast<std::uint8_t>(s + 1);
    block[192 + 15] = 0xFE;       // -2: the last 16 values
    block[0 + 3] = 0x21;          // half 0: values 3 (low) and 67 (high)
    block[0 + 32 + 3] = 0x43;     // values 35 and 99
    block[128 + 3] = 0b11100100;  // value 3: 0, 35: 1, 67: 2, 99: 3
    block[64 + 63] = 0xF0;        // half 1: value 128 + 96 + 31
    const auto values = values_of(WeightType::q6_k, block);
    EXPECT_EQ(values[3], 0.5F * 1 * (1 - 32));
    EXPECT_EQ(values[35], 0.5F * 3 * (16 + 3 - 32));
    EXPECT_EQ(values[67], 0.5F * 5 * (32 + 2 - 32));
    EXPECT_EQ(values[99], 0.5F * 7 * (48 + 4 - 32));
    EXPECT_EQ(values[255], 0.5F * -2 * (15 - 32));
}

TEST(Dequantize, blocks_follow_each_other_wherever_they_lie) {
    for (const WeightType type : weight_types()) {
        const std::int64_t block = block_values(type);
        const auto bytes = test::random_weights(type, 3 * block, 5);
        std::vector<std::uint8_t> shifted(bytes.size() + 1);
        std::memcpy(shifted.data() + 1, bytes.data(), bytes.size());
        std::vector<float> all(static_cast<std::size_t>(3 * block));
        dequantize(type, shifted.data() + 1, 3 * block, all.data());
        for (std::int64_t b = 0; b < 3; ++b) {
            std::vector<float> one(static_cast<std::size_t>(block));
            dequantize(type, bytes.data() + b * block_bytes(type), block, one.data());
            for (std::int64_t i = 0; i < block; ++i) {
                ASSERT_EQ(all[static_cast<std::size_t>(b * block + i)],
                          one[static_cast<std::size_t>(i)]);
            }
        }
    }
}

}  // namespace
}  // namespace memside::engine
