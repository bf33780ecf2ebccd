#include "pim/kernels/sv.h"

#include "pim/kernels/kernel_runs.h"
#include "pim/kernels/qk.h"

namespace memside::pim {
namespace {

using testing::HasSubstr;

struct Operands {
    std::vector<Bf16> values;
    std::vector<Bf16> weights;
};

Operands random_operands(const SvShape& shape) {
    const std::uint32_t seed = shape.head_dim * 37 + shape.tokens * 5 + shape.queries;
    return {reference::random_values(std::size_t{shape.tokens} * shape.head_dim, seed),
            reference::random_values(std::size_t{shape.queries} * shape.tokens, seed + 1)};
}

// The stated sum of one dimension: chunks of 1,024 of a channel's tokens accumulate and are rounded
// to bf16, and these partial sums are added by chunk, then by channel.
float expected_sum(const SvShape& shape, unsigned channels, const std::vector<float>& weights,
                   const std::vector<float>& dimension) {
    const std::size_t tiles = (shape.tokens + 15) / 16;
    const std::size_t of_channel = (tiles + channels - 1) / channels;
    float sum = 0;
    for (std::size_t chunk = 0; chunk < of_channel; chunk += 64) {
        const std::size_t columns = std::min<std::size_t>(64, of_channel - chunk);
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const std::size_t first = (channel * of_channel + chunk) * 16;
            sum += reference::value_of(
                to_bf16(reference::accumulate(0, dimension, weights, first, columns)));
        }
    }
    return sum;
}

std::vector<float> expected_sums(const SvShape& shape, unsigned channels,
                                 const Operands& operands) {
    const std::vector<float> values = reference::values_of(operands.values);
    const std::vector<float> weights = reference::values_of(operands.weights);
    std::vector<float> sums;
    for (std::size_t q = 0; q < shape.queries; ++q) {
        const auto first = weights.begin() + static_cast<std::ptrdiff_t>(q * shape.tokens);
        const std::vector<float> mine(first, first + shape.tokens);
        for (std::size_t d = 0; d < shape.head_dim; ++d) {
            std::vector<float> dimension;
            for (std::size_t t = 0; t < shape.tokens; ++t) {
                dimension.push_back(values[t * shape.head_dim + d]);
            }
            sums.push_back(expected_sum(shape, channels, mine, dimension));
        }
    }
    return sums;
}

void expect_near_f64(const SvShape& shape, unsigned channels, const Operands& operands,
                     const std::vector<float>& sums) {
    const std::vector<float> values = reference::values_of(operands.values);
    const std::vector<float> weights = reference::values_of(operands.weights);
    for (std::size_t i = 0; i < sums.size(); i += 1 + sums.size() / 50) {
        double sum = 0;
        double magnitude = 0;
        for (std::size_t t = 0; t < shape.tokens; ++t) {
            const double product =
                static_cast<double>(weights[i / shape.head_dim * shape.tokens + t]) *
                static_cast<double>(values[t * shape.head_dim + i % shape.head_dim]);
            sum += product;
            magnitude += std::abs(product);
        }
        // Partial sums are no larger than the sum of magnitudes that they are of.
        EXPECT_NEAR(static_cast<double>(sums[i]), sum,
                    magnitude * (bf16_roundoff + 0x1p-24 * (200 + channels)));
    }
}

void expect_sums_in_both_orders(const SvShape& shape, unsigned channels) {
    const Operands operands = random_operands(shape);
    const std::vector<float> expected = expected_sums(shape, channels, operands);
    expect_near_f64(shape, channels, operands, expected);
    for (const bool row_reuse : {false, true}) {
        SvOptions options;
        options.channels = channels;
        options.row_reuse = row_reuse;
        options.first_row = 4096;
        options.first_gpr = channels == 3 ? 70 : 0;
        const auto kernel = make_sv(shape, options);
        ASSERT_TRUE(kernel.ok()) << kernel.error().message();
        Machine machine;
        place_values(kernel->layout, operands.values, machine.memory());
        place_weights(kernel->layout, operands.weights, machine.memory());
        run_soundly(kernel->program, machine);
        ASSERT_FALSE(testing::Test::HasFatalFailure());
        EXPECT_TRUE(gather_sums(kernel->layout, machine.memory()) == expected)
            << "head_dim " << shape.head_dim << ", tokens " << shape.tokens << ", queries "
            << shape.queries << ", channels " << channels << ", reuse " << row_reuse;
    }
}

TEST(Sv, sums_equal_the_reference_bit_for_bit_at_sizes_that_fill_no_tile_too) {
    const std::vector<std::uint32_t> tokens{1, 16, 17, 100, 513, 1024, 1100};
    std::size_t next = 0;
    for (const std::uint32_t head_dim : {1U, 64U, 80U, 100U, 128U, 256U}) {
        for (const unsigned channels : {1U, 3U, 5U, 32U}) {
            for (const std::uint32_t queries : {1U, 2U, 4U, 8U}) {
                // Fewer tokens where there are many dimensions to add up.
                const std::uint32_t count = tokens[next++ % tokens.size()];
                expect_sums_in_both_orders(
                    {head_dim, head_dim > 128 ? count / 2 + 1 : count, queries}, channels);
                ASSERT_FALSE(HasFatalFailure());
            }
        }
    }
}

TEST(Sv, sums_equal_the_reference_over_several_chunks) {
    expect_sums_in_both_orders({64, 5000, 2}, 1);  // five chunks, the last of 57 tiles
    expect_sums_in_both_orders({32, 8192, 4}, 3);
    expect_sums_in_both_orders({16, 40'000, 1}, 32);
}

TEST(Sv, registers_that_are_reused_give_the_same_sums) {
    for (const bool row_reuse : {false, true}) {
        const SvShape shape{80, 3100, 4};
        SvOptions options;
        options.channels = 2;
        options.row_reuse = row_reuse;
        const auto own = make_sv(shape, options);
        options.registers = Registers::reused;
        const auto reused = make_sv(shape, options);
        ASSERT_TRUE(own.ok() && reused.ok());
        const Operands operands = random_operands(shape);
        Memory hub;
        place_weights(own->layout, operands.weights, hub);
        Machine machine;
        place_values(reused->layout, operands.values, machine.memory());
        run_served(reused->program, own->program, hub, machine);
        ASSERT_FALSE(HasFatalFailure());
        EXPECT_EQ(gather_sums(own->layout, hub), expected_sums(shape, 2, operands));
    }
}

TEST(Sv, row_reuse_opens_fewer_rows_and_writes_gbuf_more_often) {
    const SvShape shape{128, 4096, 4};
    SvOptions options;
    options.channels = 1;
    const auto without = make_sv(shape, options);
    options.row_reuse = true;
    const auto with = make_sv(shape, options);
    ASSERT_TRUE(without.ok() && with.ok());
    EXPECT_EQ(row_changes(without->program), 4u * 4 * 8);
    EXPECT_EQ(row_changes(with->program), 4u * 8);
    EXPECT_EQ(count_of(without->program, Opcode::wr_gb), 4u * 4);
    EXPECT_EQ(count_of(with->program, Opcode::wr_gb), 4u * 4 * 8);
    // A short context's weights of all queries fit together: no row needs them again.
    const auto short_one = make_sv({128, 256, 4}, options);
    ASSERT_TRUE(short_one.ok());
    EXPECT_EQ(count_of(short_one->program, Opcode::wr_gb), 4u);
    EXPECT_EQ(row_changes(short_one->program), 8u);
}

TEST(Sv, takes_its_weights_where_qk_leaves_its_scores) {
    for (const unsigned channels : {1U, 3U, 32U}) {
        for (const std::uint32_t tokens : {1U, 100U, 2049U}) {
            QkOptions qk_options;
            qk_options.channels = channels;
            const auto qk = make_qk({128, tokens, 4}, qk_options);
            ASSERT_TRUE(qk.ok());
            SvOptions sv_options;
            sv_options.channels = channels;
            sv_options.first_gpr = qk->layout.scores_gpr();
            const auto sv = make_sv({128, tokens, 4}, sv_options);
            ASSERT_TRUE(sv.ok());
            Memory memory;
            place_weights(sv->layout, reference::random_values(4 * tokens, 3), memory);
            EXPECT_EQ(gather_scores(qk->layout, memory), reference::random_values(4 * tokens, 3));
        }
    }
}

TEST(Sv, what_does_not_fit_is_refused) {
    SvOptions options;
    EXPECT_THAT(make_sv({128, 1U << 20, 1}, options).error().message(),
                HasSubstr("registers from GPR 0 on; a module has 16384"));
    options.registers = Registers::reused;
    options.channels = 1;
    EXPECT_TRUE(make_sv({128, 1U << 20, 8}, options).ok());
    options.first_row = 8193;
    EXPECT_THAT(make_sv({128, 1U << 20, 8}, options).error().message(),
                HasSubstr("needs 8192 rows from row 8193 on; a bank has 16384"));
    options.channels = 0;
    EXPECT_THAT(make_sv({128, 16, 1}, options).error().message(),
                HasSubstr("number of channels is 0"));
}

}  // namespace
}  // namespace memside::pim
