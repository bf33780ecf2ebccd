#include <rapidcheck/gtest.h>

#include <map>

#include "conv/conv_plan.h"
#include "conv/random_conv.h"

namespace memside::conv {
namespace {

// How often each weight other than zero occurs.
template <typename Range>
std::map<int, int> counted(const Range& values) {
    std::map<int, int> counts;
    for (const auto value : values) {
        if (value != 0) ++counts[value];
    }
    return counts;
}

// The weights in packed bytes: whole ones, or the halves.
std::vector<std::int8_t> unpacked(const std::vector<std::uint8_t>& packed, WeightType type) {
    std::vector<std::int8_t> values;
    for (const std::uint8_t byte : packed) {
        if (type == WeightType::s8) {
            values.push_back(static_cast<std::int8_t>(byte));
            continue;
        }
        for (const int half : {byte & 15, byte >> 4}) {
            values.push_back(static_cast<std::int8_t>(half >= 8 ? half - 16 : half));
        }
    }
    return values;
}

RC_GTEST_PROP(Pack, every_weight_is_there_once, ()) {
    const ConvProblem problem = random_problem();
    RC_PRE(check(problem, "").ok());
    const auto plan = make_plan(problem, random_target(), random_schedule());
    RC_PRE(plan.ok());
    const ConvOperands operands = random_operands(problem, *rc::gen::arbitrary<std::uint64_t>());
    const auto packed = pack_weights(plan.value(), operands.weights);
    RC_ASSERT(std::ssize(packed) == plan.value().weight_bytes);
    RC_ASSERT(counted(unpacked(packed, problem.weight)) == counted(operands.weights));
}

TEST(Pack, four_channels_of_sixteen_outputs_are_a_vector) {
    ConvProblem problem;
    problem.shape = parse_shape("1,8,4,4,32,1,1,1,0", "").value();
    std::vector<std::int8_t> weights(32 * 8);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<std::int8_t>(i % 100);
    const auto plan =
        make_plan(problem, Target::x86_vnni,
                  parse_schedule("tile_rows=1 tile_blocks=1 pixels=4 vectors=2 chunk=1 "
                                 "channel_outer=0 packed=0 tiled=0 reuse=1",
                                 "")
                      .value());
    const auto packed = pack_weights(plan.value(), weights);
    // Channels 0 to 3 of outputs 0 to 15, of outputs 16 to 31, then channels 4 to 7.
    for (std::size_t k = 0; k < 32; ++k) {
        for (std::size_t c = 0; c < 8; ++c) {
            const std::size_t vector = c / 4 * 2 + k / 16;
            EXPECT_EQ(packed[vector * 64 + k % 16 * 4 + c % 4],
                      static_cast<std::uint8_t>(weights[k * 8 + c]));
        }
    }
}

TEST(Pack, tables_take_the_zero_points_in) {
    ConvProblem problem;
    problem.shape = parse_shape("1,2,1,1,1,1,1,1,0", "").value();
    problem.input = ByteType::s8;
    problem.input_zero_point = 5;
    problem.output_zero_point = 3;
    const std::vector<std::int8_t> weights{10, -4};
    const Requantisation tables{{100}, {1 << 30}, {35}};
    const Schedule schedule;
    const auto vnni = make_plan(problem, Target::x86_vnni, schedule).value();
    const auto packed = pack_tables(vnni, weights, tables);
    EXPECT_EQ(packed[0], 100 - (5 + 128) * 6);  // activations are raised by 128
    EXPECT_EQ(packed[16], 1 << 30);
    EXPECT_EQ(packed[32], 4 + 3 * 8);  // half of 2^3, and the zero point times 2^3
    EXPECT_EQ(packed[48], 3);
    const auto avx2 = make_plan(problem, Target::x86_avx2, schedule).value();
    EXPECT_EQ(pack_tables(avx2, weights, tables)[0], 100 - 5 * 6);
}

}  // namespace
}  // namespace memside::conv
