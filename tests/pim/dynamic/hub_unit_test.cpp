// Each hub instruction against sums in double, written out.
#include "pim/dynamic/hub_unit.h"

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "pim/kernels/kernel.h"

namespace memside::pim {
namespace {

class Hub {
  public:
    explicit Hub(std::uint64_t seed) : random_(seed) {}

    // Random values in registers, zeros after the last up to a tile's end.
    std::vector<double> put(std::uint32_t gpr, std::size_t count) {
        std::vector<Bf16> values(count);
        std::vector<double> result;
        std::normal_distribution<float> normal;
        for (Bf16& value : values) {
            value = to_bf16(normal(random_));
            result.push_back(to_float(value));
        }
        place_in_gprs(values, units(count, lanes), gpr, memory);
        return result;
    }
    std::vector<double> get(std::uint32_t gpr, std::size_t count) const {
        std::vector<double> result;
        for (const Bf16 value : gather_gprs(gpr, count, memory)) result.push_back(to_float(value));
        return result;
    }
    void run(const HubInstruction& hub, std::uint64_t request = 1, std::uint64_t first = 0,
             std::uint64_t tokens = 0, const std::vector<float>* table = nullptr) {
        const Status status =
            unit.execute({hub, first, tokens, request, std::nullopt, table}, memory);
        ASSERT_TRUE(status.ok()) << status.error().message();
        ASSERT_EQ(unit.uninitialised().count, 0U) << unit.uninitialised().first.front().message();
    }
    std::uint64_t below(std::uint64_t count) { return random_() % count; }

    Memory memory;
    HubUnit unit;

  private:
    std::mt19937_64 random_;
};

HubInstruction of(HubOp op) {
    HubInstruction hub;
    hub.op = op;
    return hub;
}

// FP32 sums of up to some hundred terms, then one rounding to bf16.
void expect_near(const std::vector<double>& got, const std::vector<double>& expected,
                 double magnitude = 0) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double bound = std::fabs(expected[i]) * bf16_roundoff + magnitude * 0x1p-18;
        EXPECT_NEAR(got[i], expected[i], bound + 1e-30) << i;
    }
}

TEST(HubUnit, reduce_adds_parts_and_a_bias) {
    Hub hub(1);
    HubInstruction reduce = of(HubOp::reduce);
    reduce.gpr = 10;
    reduce.parts = 3;
    reduce.part_stride = 5;
    reduce.tiles = 2;
    reduce.gpr2 = 90;
    reduce.gpr_out = 50;
    std::vector<double> sums(32, 0.0);
    for (std::uint32_t part = 0; part < 3; ++part) {
        const auto values = hub.put(10 + 5 * part, 32);
        for (std::size_t i = 0; i < 32; ++i) sums[i] += values[i];
    }
    hub.run(reduce);
    expect_near(hub.get(50, 32), sums, 10);
    const auto bias = hub.put(90, 32);
    for (std::size_t i = 0; i < 32; ++i) sums[i] += bias[i];
    reduce.choice = 1;
    hub.run(reduce);
    expect_near(hub.get(50, 32), sums, 10);
}

TEST(HubUnit, rms_norm_scales_each_row_by_its_root_mean_square) {
    Hub hub(2);
    for (const std::uint32_t width : {16U, 40U, 256U}) {
        HubInstruction norm = of(HubOp::rms_norm);
        norm.gpr = 0;
        norm.gpr2 = 100;
        norm.gpr_out = 200;
        norm.rows = 3;
        norm.values = width;
        norm.scale = 1e-5F;
        const auto weight = hub.put(100, width);
        std::vector<std::vector<double>> rows;
        const std::uint32_t stride = units(width, lanes);
        for (std::uint32_t r = 0; r < 3; ++r) rows.push_back(hub.put(r * stride, width));
        hub.run(norm);
        for (std::uint32_t r = 0; r < 3; ++r) {
            double sum = 0;
            for (const double x : rows[r]) sum += x * x;
            std::vector<double> expected;
            for (std::size_t i = 0; i < width; ++i) {
                expected.push_back(rows[r][i] / std::sqrt(sum / width + 1e-5) * weight[i]);
            }
            expect_near(hub.get(200 + r * stride, width), expected, 10);
        }
    }
}

TEST(HubUnit, rope_turns_pairs_by_the_position_of_the_new_token) {
    Hub hub(3);
    for (const auto style : {RopeStyle::neox, RopeStyle::adjacent}) {
        for (const std::uint64_t tokens : {1U, 2U, 1000U, 1000000U}) {
            HubInstruction rope = of(HubOp::rope);
            rope.heads = 2;
            rope.head_dim = 24;
            rope.choice = static_cast<std::uint32_t>(style);
            rope.theta = 10000;
            rope.scale = 0.125F;
            std::vector<std::vector<double>> heads{hub.put(0, 24), hub.put(2, 24)};
            hub.run(rope, tokens);
            for (std::uint32_t h = 0; h < 2; ++h) {
                std::vector<double> expected = heads[h];
                for (std::size_t i = 0; i < 12; ++i) {
                    const std::size_t a = style == RopeStyle::neox ? i : 2 * i;
                    const std::size_t b = style == RopeStyle::neox ? i + 12 : 2 * i + 1;
                    const double angle = static_cast<double>(tokens - 1) * 0.125 /
                                         std::pow(10000.0, static_cast<double>(i) / 12.0);
                    expected[a] = heads[h][a] * std::cos(angle) - heads[h][b] * std::sin(angle);
                    expected[b] = heads[h][a] * std::sin(angle) + heads[h][b] * std::cos(angle);
                }
                expect_near(hub.get(2 * h, 24), expected, 10);
            }
        }
    }
}

TEST(HubUnit, rope_divides_angles_by_a_table_in_fp32) {
    Hub hub(11);
    // As Llama 3.1's: 1 for short wavelengths, 8 for long ones, between them what bf16 cannot hold.
    std::vector<float> divisors;
    for (int i = 0; i < 32; ++i) divisors.push_back(1.0F + 7.0F * static_cast<float>(i) / 31.0F);
    HubInstruction rope = of(HubOp::rope);
    rope.head_dim = 64;
    rope.theta = 500000;
    rope.table = 1;
    for (const std::uint64_t tokens : {1U, 4097U, 131072U}) {
        const std::vector<double> before = hub.put(0, 64);
        hub.run(rope, tokens, 0, 0, &divisors);
        std::vector<double> expected = before;
        for (std::size_t i = 0; i < 32; ++i) {
            const double angle = static_cast<double>(tokens - 1) *
                                 std::pow(500000.0, -static_cast<double>(i) / 32.0) /
                                 double{divisors[i]};
            expected[i] = before[i] * std::cos(angle) - before[i + 32] * std::sin(angle);
            expected[i + 32] = before[i] * std::sin(angle) + before[i + 32] * std::cos(angle);
        }
        expect_near(hub.get(0, 64), expected, 10);
    }
}

// Tokens are dealt to four states, one of which gets none: combined, they are one softmax over all.
TEST(HubUnit, combine_makes_one_softmax_of_parts) {
    Hub hub(12);
    constexpr std::uint32_t queries = 3;
    constexpr std::uint32_t width = 40;
    std::vector<std::vector<double>> sums(queries, std::vector<double>(width, 0.0));
    std::vector<double> weights(queries, 0.0);
    for (std::uint32_t part = 0; part < 4; ++part) {
        HubInstruction start = of(HubOp::softmax_start);
        start.state = part;
        start.queries = queries;
        start.head_dim = width;
        hub.run(start);
        if (part != 2) {
            std::vector<std::vector<double>> scores;
            for (std::uint32_t q = 0; q < queries; ++q) scores.push_back(hub.put(100 + q, lanes));
            HubInstruction block = of(HubOp::softmax_block);
            block.state = part;
            block.queries = queries;
            block.gpr = 100;
            block.query_stride = 1;
            block.gpr_out = 110;
            block.out_query_stride = 1;
            block.scale = 40;  // maxima apart by what bf16 could not say
            hub.run(block, lanes, 0, lanes);
            HubInstruction add = of(HubOp::accumulate);
            add.state = part;
            add.queries = queries;
            add.head_dim = width;
            add.gpr = 120;
            add.query_stride = 3;
            std::vector<std::vector<double>> values;
            for (std::uint32_t q = 0; q < queries; ++q)
                values.push_back(hub.put(120 + 3 * q, width));
            hub.run(add);
            for (std::uint32_t q = 0; q < queries; ++q) {
                const double top = *std::max_element(scores[q].begin(), scores[q].end()) * 40;
                const auto written = hub.get(110 + q, lanes);
                double sum = 0;
                for (const double weight : written) sum += weight;
                weights[q] += sum * std::exp(top);
                for (std::size_t i = 0; i < width; ++i) sums[q][i] += values[q][i] * std::exp(top);
            }
        }
        HubInstruction finish = of(HubOp::softmax_finish);
        finish.state = part;
        finish.queries = queries;
        finish.head_dim = width;
        finish.choice = 1;
        finish.gpr_out = 200 + 20 * part;
        finish.out_query_stride = 4;
        hub.run(finish);
    }
    HubInstruction combine = of(HubOp::combine);
    combine.queries = queries;
    combine.head_dim = width;
    combine.gpr = 200;
    combine.query_stride = 4;
    combine.parts = 4;
    combine.part_stride = 20;
    combine.gpr_out = 300;
    combine.out_query_stride = 3;
    hub.run(combine);
    for (std::uint32_t q = 0; q < queries; ++q) {
        std::vector<double> expected = sums[q];
        double magnitude = 0;
        for (double& value : expected) {
            value /= weights[q];
            magnitude = std::max(magnitude, std::fabs(value));
        }
        const auto got = hub.get(300 + 3 * q, width);
        // Each part is rounded to bf16 once, and the result.
        for (std::size_t i = 0; i < width; ++i) {
            EXPECT_NEAR(got[i], expected[i], 4 * magnitude * bf16_roundoff) << q << " " << i;
        }
    }
}

TEST(HubUnit, gate_multiplies_with_silu_or_gelu) {
    Hub hub(4);
    const auto gate = hub.put(0, 48);
    const auto up = hub.put(10, 48);
    for (const auto function : {GateFunction::silu, GateFunction::gelu_tanh}) {
        HubInstruction op = of(HubOp::gate);
        op.gpr2 = 10;
        op.gpr_out = 20;
        op.tiles = 3;
        op.choice = static_cast<std::uint32_t>(function);
        hub.run(op);
        std::vector<double> expected;
        for (std::size_t i = 0; i < 48; ++i) {
            const double x = gate[i];
            const double y =
                function == GateFunction::silu
                    ? x / (1 + std::exp(-x))
                    : 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
            expected.push_back(y * up[i]);
        }
        expect_near(hub.get(20, 48), expected, 10);
    }
}

TEST(HubUnit, add_copy_and_fill_do_what_their_names_say) {
    Hub hub(5);
    const auto a = hub.put(0, 32);
    const auto b = hub.put(2, 32);
    HubInstruction op = of(HubOp::add);
    op.gpr2 = 2;
    op.gpr_out = 4;
    op.tiles = 2;
    hub.run(op);
    std::vector<double> sums;
    for (std::size_t i = 0; i < 32; ++i) sums.push_back(a[i] + b[i]);
    expect_near(hub.get(4, 32), sums, 10);
    op = of(HubOp::copy);
    op.gpr_out = 6;
    op.tiles = 2;
    hub.run(op);
    EXPECT_EQ(hub.get(6, 32), a);
    op = of(HubOp::fill);
    op.gpr_out = 8;
    op.tiles = 2;
    op.scale = -1.5F;
    hub.run(op);
    EXPECT_EQ(hub.get(8, 32), std::vector<double>(32, -1.5));
}

TEST(HubUnit, merge_sets_one_lane_of_each_tile) {
    Hub hub(6);
    const auto values = hub.put(0, 20);
    const auto before = hub.put(100, 40 * lanes);
    HubInstruction op = of(HubOp::merge);
    op.gpr2 = 100;
    op.tile_stride = 2;
    op.values = 20;
    op.choice = 7;
    hub.run(op);
    std::vector<double> expected = before;
    for (std::size_t i = 0; i < 20; ++i) expected[2 * i * lanes + 7] = values[i];
    EXPECT_EQ(hub.get(100, 40 * lanes), expected);
}

// One block: weights in the order of classes, zeros up to the granule, the window.
RC_GTEST_PROP(HubUnit, a_block_of_softmax_writes_exponents_in_the_order_of_classes,
              (std::uint64_t seed)) {
    Hub hub(seed);
    HubInstruction block = of(HubOp::softmax_block);
    block.state = static_cast<std::uint32_t>(hub.below(hub_states));
    block.first_query = static_cast<std::uint32_t>(hub.below(5));
    block.queries = static_cast<std::uint32_t>(1 + hub.below(3));
    block.tile_stride = static_cast<std::uint32_t>(1 + hub.below(3));
    block.query_stride = 100;
    block.classes = static_cast<std::uint32_t>(1 + hub.below(4));
    block.class_stride = 20;
    block.granule = lanes * block.classes;
    block.gpr_out = 1000;
    block.out_query_stride = 90;
    block.scale = 0.5F;
    const std::uint64_t tokens = 1 + hub.below(200);
    const std::uint64_t first = 16 * hub.below(10);
    const std::uint64_t request = first + tokens + hub.below(40);
    if (hub.below(2) == 0) block.window = static_cast<std::uint32_t>(1 + hub.below(300));
    HubInstruction start = of(HubOp::softmax_start);
    start.state = block.state;
    start.first_query = block.first_query;
    start.queries = block.queries;
    start.head_dim = 16;
    hub.run(start);
    std::vector<std::vector<double>> scores(block.queries);
    for (std::uint32_t q = 0; q < block.queries; ++q) {
        for (std::uint64_t tile = 0; tile * lanes < tokens; ++tile) {
            const auto at = static_cast<std::uint32_t>(q * 100 + tile * block.tile_stride);
            for (const double x : hub.put(at, lanes)) scores[q].push_back(x);
        }
    }
    hub.run(block, request, first, tokens);
    for (std::uint32_t q = 0; q < block.queries; ++q) {
        double maximum = -INFINITY;
        const auto seen = [&](std::uint64_t i) {
            return i < tokens && (block.window == 0 || first + i + block.window >= request);
        };
        for (std::uint64_t i = 0; i < tokens; ++i) {
            if (seen(i)) maximum = std::max(maximum, 0.5 * scores[q][i]);
        }
        const std::uint64_t padded = (tokens + block.granule - 1) / block.granule * block.granule;
        for (std::uint64_t i = 0; i < padded; ++i) {
            const auto tile = static_cast<std::uint32_t>(i / lanes);
            const std::uint32_t gpr =
                1000 + q * 90 + tile % block.classes * 20 + tile / block.classes;
            const double got = to_float(hub.memory.gpr(gpr).values[i % lanes]);
            const double expected = seen(i) ? std::exp(0.5 * scores[q][i] - maximum) : 0;
            RC_ASSERT(hub.memory.gpr(gpr).complete());
            RC_ASSERT(std::fabs(got - expected) <= expected * (bf16_roundoff + 1e-6));
        }
    }
}

TEST(HubUnit, blocks_of_softmax_end_in_the_mean_of_all_partial_sums) {
    Hub hub(8);
    HubInstruction start = of(HubOp::softmax_start);
    start.head_dim = 20;
    hub.run(start);
    std::vector<double> scores;
    std::vector<std::vector<double>> values;
    // Three blocks of 16, 16 and 5 tokens, the partial vectors summed here.
    std::uint64_t token = 0;
    for (const std::uint32_t tokens : {16U, 16U, 5U}) {
        const auto block_scores = hub.put(0, lanes);
        HubInstruction block = of(HubOp::softmax_block);
        block.gpr_out = 10;
        hub.run(block, 37, token, tokens);
        std::vector<float> partial(20, 0.0F);
        for (std::uint32_t t = 0; t < tokens; ++t) {
            scores.push_back(block_scores[t]);
            values.push_back(hub.put(30, 20));
            const float weight = to_float(hub.memory.gpr(10).values[t]);
            for (std::size_t d = 0; d < 20; ++d) {
                partial[d] += weight * static_cast<float>(values.back()[d]);
            }
        }
        std::vector<Bf16> rounded;
        for (const float x : partial) rounded.push_back(to_bf16(x));
        place_in_gprs(std::span(rounded).first(16), 1, 40, hub.memory);
        place_in_gprs(std::span(rounded).subspan(16), 1, 43, hub.memory);
        HubInstruction sum = of(HubOp::accumulate);
        sum.gpr = 40;
        sum.tile_stride = 3;
        sum.head_dim = 20;
        hub.run(sum);
        token += tokens;
    }
    HubInstruction finish = of(HubOp::softmax_finish);
    finish.gpr_out = 60;
    finish.head_dim = 20;
    hub.run(finish);
    double sum = 0;
    std::vector<double> expected(20, 0.0);
    double magnitude = 0;
    for (std::size_t t = 0; t < scores.size(); ++t) {
        sum += std::exp(scores[t]);
        for (std::size_t d = 0; d < 20; ++d) expected[d] += std::exp(scores[t]) * values[t][d];
    }
    for (double& x : expected) {
        x /= sum;
        magnitude = std::max(magnitude, std::fabs(x));
    }
    const auto got = hub.get(60, 20);
    for (std::size_t d = 0; d < 20; ++d) {
        EXPECT_NEAR(got[d], expected[d], 4 * bf16_roundoff * std::max(magnitude, 0.5)) << d;
    }
    // The rest of the last tile is zero.
    EXPECT_EQ(hub.get(61, 16)[4], 0);
}

TEST(HubUnit, a_query_that_nobody_started_is_refused) {
    Hub hub(9);
    HubInstruction block = of(HubOp::softmax_block);
    block.state = 3;
    EXPECT_EQ(hub.unit.execute({block, 0, 1, 1}, hub.memory).error().message(),
              "softmax_block: query 0 of state 3 was not started");
    HubInstruction start = of(HubOp::softmax_start);
    start.state = 3;
    start.head_dim = 32;
    hub.run(start);
    HubInstruction finish = of(HubOp::softmax_finish);
    finish.state = 3;
    finish.head_dim = 16;
    EXPECT_EQ(hub.unit.execute({finish, 0, 1, 1}, hub.memory).error().message(),
              "softmax_finish: query 0 of state 3 was started with head_dim 32");
}

TEST(HubUnit, a_tile_that_nobody_wrote_is_reported) {
    Hub hub(10);
    HubInstruction copy = of(HubOp::copy);
    copy.gpr = 77;
    copy.gpr_out = 1;
    copy.tiles = 1;
    ASSERT_TRUE(hub.unit.execute({copy, 0, 1, 1}, hub.memory).ok());
    EXPECT_EQ(hub.unit.uninitialised().count, 16U);
    EXPECT_EQ(hub.unit.uninitialised().first.front().message(),
              "GPR 77 was never written; read as 0");
}

}  // namespace
}  // namespace memside::pim
