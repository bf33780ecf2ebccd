#include "engine/quantize.h"

#include <rapidcheck/gtest.h>
#include <cmath>

#include "kv/half.h"

namespace memside::engine {
namespace {

float half_at(const std::string& bytes, std::size_t at) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + at, sizeof bits);
    return kv::half_to_float(bits);
}

// The formats' definitions, one value at a time.
float value_of(std::string_view format, const std::string& bytes, std::size_t i) {
    if (format == "f16") return half_at(bytes, 2 * i);
    if (format == "f32") {
        float value = 0.0F;
        std::memcpy(&value, bytes.data() + 4 * i, sizeof value);
        return value;
    }
    const std::size_t in_block = i % 32;
    if (format == "q8_0") {
        const std::size_t block = i / 32 * 34;
        return half_at(bytes, block) * static_cast<signed char>(bytes[block + 2 + in_block]);
    }
    const std::size_t block = i / 32 * 18;
    const auto byte = static_cast<unsigned char>(bytes[block + 2 + in_block % 16]);
    const int level = in_block < 16 ? byte & 15 : byte >> 4;
    return half_at(bytes, block) * static_cast<float>(level - 8);
}

// The largest error in units of the largest value of a block: half a step, and for the lowest
// level of q4_0 on the other side of the extreme a whole one, and what rounding the scale adds.
double tolerance(std::string_view format) {
    if (format == "f32") return 0.0;
    if (format == "f16") return 0x1p-11;
    return format == "q8_0" ? 0.5 / 127 + 0x1p-10 : 1.0 / 8 + 0x1p-10;
}

RC_GTEST_PROP(Quantize, values_come_back_within_half_a_step, ()) {
    std::vector<float> values;
    for (int i = 0; i < 64; ++i) {
        values.push_back(static_cast<float>(*rc::gen::inRange(-1000, 1001)) / 256.0F);
    }
    for (const WeightFormat& format : weight_formats()) {
        std::string bytes = "before";
        format.append(values, bytes);
        RC_ASSERT(static_cast<std::int64_t>(bytes.size()) == 6 + format.bytes(64));
        bytes.erase(0, 6);
        for (std::size_t i = 0; i < values.size(); ++i) {
            float largest = 0.0F;
            for (std::size_t j = i / 32 * 32; j < i / 32 * 32 + 32; ++j) {
                largest = std::max(largest, std::fabs(values[j]));
            }
            const double error = std::fabs(value_of(format.name, bytes, i) - values[i]);
            RC_ASSERT(error <= tolerance(format.name) * largest);
        }
    }
}

TEST(Quantize, a_block_of_zeros_and_the_extremes_are_exact) {
    std::vector<float> values(64, 0.0F);
    values[32] = -8.0F;
    values[33] = 7.0F;
    std::string bytes;
    weight_format("q4_0").append(values, bytes);
    for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(value_of("q4_0", bytes, i), values[i]) << i;
    values[32] = -127.0F;
    bytes.clear();
    weight_format("q8_0").append(values, bytes);
    for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(value_of("q8_0", bytes, i), values[i]) << i;
}

}  // namespace
}  // namespace memside::engine
