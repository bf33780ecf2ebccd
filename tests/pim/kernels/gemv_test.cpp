#include "pim/kernels/gemv.h"

#include "pim/kernels/kernel_runs.h"

namespace memside::pim {
namespace {

using testing::HasSubstr;

struct Operands {
    std::vector<Bf16> matrix;
    std::vector<Bf16> x;
};

Operands random_operands(const GemvShape& shape) {
    return {reference::random_values(std::size_t{shape.rows} * shape.columns, shape.rows),
            reference::random_values(shape.columns, shape.columns)};
}

// The stated arithmetic of one result: chunks of 1,024 columns, each rounded to bf16 and added, or
// all in one accumulator and rounded once.
std::vector<float> expected_y(const GemvShape& shape, GemvOrder order, const Operands& operands) {
    const std::vector<float> matrix = reference::values_of(operands.matrix);
    const std::vector<float> x = reference::values_of(operands.x);
    std::vector<float> y;
    for (std::size_t r = 0; r < shape.rows; ++r) {
        const auto first = matrix.begin() + static_cast<std::ptrdiff_t>(r * shape.columns);
        const std::vector<float> line(first, first + shape.columns);
        const std::size_t tiles = (shape.columns + 15) / 16;
        if (order == GemvOrder::group_outer) {
            y.push_back(reference::value_of(to_bf16(reference::accumulate(0, line, x, 0, tiles))));
            continue;
        }
        float sum = 0;
        for (std::size_t tile = 0; tile < tiles; tile += 64) {
            sum += reference::value_of(to_bf16(reference::accumulate(
                0, line, x, tile * 16, std::min<std::size_t>(64, tiles - tile))));
        }
        y.push_back(sum);
    }
    return y;
}

void expect_near_f64(const GemvShape& shape, const Operands& operands,
                     const std::vector<float>& y) {
    for (std::size_t r = 0; r < y.size(); r += 1 + y.size() / 50) {
        double sum = 0;
        double magnitude = 0;
        for (std::size_t c = 0; c < shape.columns; ++c) {
            const double product =
                static_cast<double>(to_float(operands.matrix[r * shape.columns + c])) *
                static_cast<double>(to_float(operands.x[c]));
            sum += product;
            magnitude += std::abs(product);
        }
        EXPECT_NEAR(static_cast<double>(y[r]), sum, magnitude * (bf16_roundoff + 0x1p-24 * 300));
    }
}

TEST(Gemv, results_equal_the_reference_bit_for_bit_at_sizes_that_fill_no_tile_too) {
    const std::vector<GemvShape> shapes{{1, 1},      {16, 16},    {17, 15},   {100, 1000},
                                        {513, 1024}, {300, 1025}, {64, 2048}, {700, 2900}};
    for (const GemvShape& shape : shapes) {
        const Operands operands = random_operands(shape);
        for (const GemvOrder order : {GemvOrder::chunk_outer, GemvOrder::group_outer}) {
            const std::vector<float> expected = expected_y(shape, order, operands);
            expect_near_f64(shape, operands, expected);
            for (const unsigned channels : {1U, 3U, 5U, 32U}) {
                GemvOptions options;
                options.channels = channels;
                options.order = order;
                options.first_row = 9;
                options.first_gpr = 20;
                const auto kernel = make_gemv(shape, options);
                ASSERT_TRUE(kernel.ok()) << kernel.error().message();
                Machine machine;
                place_matrix(kernel->layout, operands.matrix, machine.memory());
                place_x(kernel->layout, operands.x, machine.memory());
                run_soundly(kernel->program, machine);
                ASSERT_FALSE(HasFatalFailure());
                EXPECT_TRUE(gather_y(kernel->layout, machine.memory()) == expected)
                    << shape.rows << " x " << shape.columns << ", channels " << channels;
            }
        }
    }
}

TEST(Gemv, registers_that_are_reused_give_the_same_results) {
    for (const GemvOrder order : {GemvOrder::chunk_outer, GemvOrder::group_outer}) {
        const GemvShape shape{100, 2100};
        GemvOptions options;
        options.channels = 3;
        options.order = order;
        const auto own = make_gemv(shape, options);
        options.registers = Registers::reused;
        const auto reused = make_gemv(shape, options);
        ASSERT_TRUE(own.ok() && reused.ok());
        const Operands operands = random_operands(shape);
        Memory hub;
        place_x(own->layout, operands.x, hub);
        Machine machine;
        place_matrix(reused->layout, operands.matrix, machine.memory());
        run_served(reused->program, own->program, hub, machine);
        ASSERT_FALSE(HasFatalFailure());
        EXPECT_EQ(gather_y(own->layout, hub), expected_y(shape, order, operands));
    }
}

TEST(Gemv, what_does_not_fit_is_refused) {
    GemvOptions options;
    options.channels = 1;
    EXPECT_THAT(make_gemv({1 << 20, 1024}, options).error().message(),
                HasSubstr("needs 65536 rows from row 0 on; a bank has 16384"));
    EXPECT_THAT(make_gemv({0, 1024}, options).error().message(),
                HasSubstr("number of matrix rows is 0"));
    options.first_gpr = 16'300;
    EXPECT_THAT(make_gemv({1024, 1024}, options).error().message(),
                HasSubstr("needs 129 registers from GPR 16300 on; a module has 16384"));
}

}  // namespace
}  // namespace memside::pim
