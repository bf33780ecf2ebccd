#include "pim/kernels/qk.h"

#include "pim/kernels/kernel_runs.h"

namespace memside::pim {
namespace {

using testing::HasSubstr;

struct Operands {
    std::vector<Bf16> keys;
    std::vector<Bf16> queries;
};

Operands random_operands(const QkShape& shape) {
    const std::uint32_t seed = shape.head_dim * 31 + shape.tokens * 7 + shape.queries;
    return {reference::random_values(std::size_t{shape.tokens} * shape.head_dim, seed),
            reference::random_values(std::size_t{shape.queries} * shape.head_dim, seed + 1)};
}

std::vector<float> vector_at(const std::vector<Bf16>& matrix, std::size_t index,
                             std::size_t width) {
    const auto first = matrix.begin() + static_cast<std::ptrdiff_t>(index * width);
    return reference::values_of({first, first + static_cast<std::ptrdiff_t>(width)});
}

// Scores by the stated arithmetic, knowing nothing of layouts.
std::vector<Bf16> expected_scores(const QkShape& shape, const Operands& operands) {
    std::vector<std::vector<float>> keys;
    for (std::size_t t = 0; t < shape.tokens; ++t) {
        keys.push_back(vector_at(operands.keys, t, shape.head_dim));
    }
    std::vector<Bf16> scores;
    for (std::size_t q = 0; q < shape.queries; ++q) {
        const std::vector<float> query = vector_at(operands.queries, q, shape.head_dim);
        for (const std::vector<float>& key : keys) {
            scores.push_back(
                to_bf16(reference::accumulate(0, key, query, 0, (shape.head_dim + 15) / 16)));
        }
    }
    return scores;
}

void expect_near_f64(const QkShape& shape, const Operands& operands,
                     const std::vector<Bf16>& scores) {
    for (std::size_t i = 0; i < scores.size(); i += 1 + scores.size() / 100) {
        const auto query = vector_at(operands.queries, i / shape.tokens, shape.head_dim);
        const auto key = vector_at(operands.keys, i % shape.tokens, shape.head_dim);
        double sum = 0;
        double magnitude = 0;
        for (std::size_t d = 0; d < key.size(); ++d) {
            const double product = static_cast<double>(query[d]) * static_cast<double>(key[d]);
            sum += product;
            magnitude += std::abs(product);
        }
        // One rounding to bf16, and FP32's along the way: 4 in the tree, one per tile.
        EXPECT_NEAR(static_cast<double>(to_float(scores[i])), sum,
                    std::abs(sum) * bf16_roundoff + magnitude * 0x1p-23 * 80);
    }
}

void expect_scores(const QkShape& shape, const QkOptions& options, const Operands& operands,
                   const std::vector<Bf16>& expected) {
    const auto kernel = make_qk(shape, options);
    ASSERT_TRUE(kernel.ok()) << kernel.error().message();
    Machine machine;
    place_keys(kernel->layout, operands.keys, machine.memory());
    place_queries(kernel->layout, operands.queries, machine.memory());
    run_soundly(kernel->program, machine);
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_TRUE(gather_scores(kernel->layout, machine.memory()) == expected)
        << "head_dim " << shape.head_dim << ", tokens " << shape.tokens << ", queries "
        << shape.queries << ", channels " << options.channels << ", reuse " << options.row_reuse
        << ", rewrite " << options.rewrite_query_per_group;
}

void expect_scores_in_every_order(const QkShape& shape, unsigned channels) {
    const Operands operands = random_operands(shape);
    const std::vector<Bf16> expected = expected_scores(shape, operands);
    expect_near_f64(shape, operands, expected);
    for (const bool row_reuse : {false, true}) {
        for (const bool rewrite : {false, true}) {
            QkOptions options;
            options.channels = channels;
            options.row_reuse = row_reuse;
            options.rewrite_query_per_group = rewrite;
            options.first_row = channels == 5 ? 11 : 0;
            options.first_gpr = channels == 3 ? 70 : 0;
            expect_scores(shape, options, operands, expected);
        }
    }
}

TEST(Qk, scores_equal_the_reference_bit_for_bit_at_sizes_that_fill_no_tile_too) {
    const std::vector<std::uint32_t> tokens{1, 15, 16, 17, 100, 257, 511, 900};
    std::size_t next = 0;
    for (const std::uint32_t head_dim : {1U, 64U, 80U, 100U, 128U, 256U, 1024U}) {
        for (const unsigned channels : {1U, 3U, 5U, 32U}) {
            for (const std::uint32_t queries : {1U, 2U, 4U, 8U}) {
                const std::uint32_t count = tokens[next++ % tokens.size()];
                expect_scores_in_every_order({head_dim, count, queries}, channels);
                ASSERT_FALSE(HasFatalFailure());
            }
            // The sizes move on against the number of queries.
            ++next;
        }
    }
}

TEST(Qk, scores_equal_the_reference_over_some_thousand_tokens) {
    expect_scores_in_every_order({128, 8192, 1}, 32);
    expect_scores_in_every_order({64, 4099, 4}, 3);
    expect_scores_in_every_order({256, 3000, 8}, 32);
}

TEST(Qk, registers_that_are_reused_give_the_same_scores) {
    for (const bool row_reuse : {false, true}) {
        for (const bool rewrite : {false, true}) {
            const QkShape shape{256, 1000, 8};
            QkOptions options;
            options.channels = 5;
            options.row_reuse = row_reuse;
            options.rewrite_query_per_group = rewrite;
            const auto own = make_qk(shape, options);
            options.registers = Registers::reused;
            const auto reused = make_qk(shape, options);
            ASSERT_TRUE(own.ok() && reused.ok());
            const Operands operands = random_operands(shape);
            Memory hub;
            place_queries(own->layout, operands.queries, hub);
            Machine machine;
            place_keys(reused->layout, operands.keys, machine.memory());
            run_served(reused->program, own->program, hub, machine);
            ASSERT_FALSE(HasFatalFailure());
            EXPECT_EQ(gather_scores(own->layout, hub), expected_scores(shape, operands));
        }
    }
}

TEST(Qk, row_reuse_opens_each_row_once_for_all_queries) {
    const QkShape shape{128, 4096, 8};
    QkOptions options;
    options.channels = 2;
    const auto without = make_qk(shape, options);
    options.row_reuse = true;
    const auto with = make_qk(shape, options);
    ASSERT_TRUE(without.ok() && with.ok());
    EXPECT_EQ(with->layout.rows(), 16u);
    EXPECT_EQ(row_changes(without->program), 8u * 16);
    EXPECT_EQ(row_changes(with->program), 16u);
    // Eight queries of eight tiles fill GBuf: written once.
    EXPECT_EQ(count_of(with->program, Opcode::wr_gb), 1u);
    EXPECT_EQ(count_of(with->program, Opcode::mac_abk), 8u * 128);
}

TEST(Qk, row_reuse_rewrites_what_gbuf_cannot_hold_once_a_row) {
    QkOptions options;
    options.channels = 1;
    options.row_reuse = true;
    const auto kernel = make_qk({256, 1024, 8}, options);
    ASSERT_TRUE(kernel.ok());
    // Four queries of 16 tiles at a time; 64 groups, four to a row.
    EXPECT_EQ(count_of(kernel->program, Opcode::wr_gb), 2u * 16);
}

TEST(Qk, a_rewritten_query_goes_into_gbuf_before_every_group) {
    QkOptions options;
    options.channels = 32;
    options.rewrite_query_per_group = true;
    const auto kernel = make_qk({128, 8192, 1}, options);
    ASSERT_TRUE(kernel.ok());
    const std::vector<Opcode> order{Opcode::wr_gb, Opcode::wr_bias, Opcode::mac_abk,
                                    Opcode::rd_mac};
    std::size_t n = 0;
    for (Cursor cursor(kernel->program); cursor->opcode != Opcode::eoc; cursor.next(), ++n) {
        EXPECT_EQ(cursor->opcode, order[n % order.size()]);
    }
    EXPECT_EQ(n, 4u * 16);
}

TEST(Qk, a_program_has_the_same_size_at_any_context) {
    QkOptions options;
    options.registers = Registers::reused;
    const auto small = make_qk({128, 1U << 15, 1}, options);
    const auto large = make_qk({128, 1U << 20, 1}, options);
    ASSERT_TRUE(small.ok() && large.ok()) << large.error().message();
    EXPECT_EQ(small->program.instructions.size(), large->program.instructions.size());
    EXPECT_EQ(count_of(large->program, Opcode::mac_abk), 2048u);
}

TEST(Qk, what_does_not_fit_is_refused) {
    QkOptions options;
    EXPECT_THAT(make_qk({1025, 16, 1}, options).error().message(),
                HasSubstr("the head dimension is 1025; allowed: 1 to 1024"));
    EXPECT_THAT(make_qk({128, 0, 1}, options).error().message(),
                HasSubstr("number of tokens is 0"));
    EXPECT_THAT(make_qk({128, 16, 0}, options).error().message(),
                HasSubstr("number of queries is 0"));
    EXPECT_THAT(make_qk({128, 1U << 20, 1}, options).error().message(),
                HasSubstr("needs 65545 registers from GPR 0 on; a module has 16384"));
    options.registers = Registers::reused;
    options.first_row = 16000;
    EXPECT_THAT(make_qk({1024, 1U << 20, 1}, options).error().message(),
                HasSubstr("needs 2048 rows from row 16000 on; a bank has 16384"));
    options.channels = 33;
    EXPECT_THAT(make_qk({128, 16, 1}, options).error().message(),
                HasSubstr("number of channels is 33; allowed: 1 to 32"));
}

}  // namespace
}  // namespace memside::pim
