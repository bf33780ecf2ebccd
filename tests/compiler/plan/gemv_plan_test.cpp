// Linear layers and the vectors that a module keeps, on data.
#include "compiler/plan/gemv_plan.h"

#include <cmath>
#include <random>

#include "compiler/encode/item_writer.h"
#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

using pim::Bf16;

std::vector<Bf16> random_values(std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<float> normal;
    std::vector<Bf16> values(count);
    for (Bf16& value : values) value = pim::to_bf16(normal(random));
    return values;
}

pim::DynamicProgram program_of(ItemWriter&& writer, unsigned channels, std::uint32_t rows,
                               std::uint32_t first_row) {
    pim::DynamicProgram program;
    program.channels = channels;
    program.regions.push_back({.name = "weights", .rows = rows, .first_row = first_row});
    program.items = std::move(writer).finish();
    program.entries.push_back({.name = "linear",
                               .channel_mask = pim::channel_mask(channels),
                               .item_count = static_cast<std::uint32_t>(program.items.size())});
    return program;
}

void run(const pim::DynamicProgram& program, pim::DynamicMachine& machine) {
    const Status valid = pim::validate(program, "");
    ASSERT_TRUE(valid.ok()) << valid.error().message();
    const Status ran = pim::Expander(program).run_all(1, {}, machine);
    ASSERT_TRUE(ran.ok()) << ran.error().message();
    ASSERT_EQ(machine.machine().uninitialised().count, 0U)
        << machine.machine().uninitialised().first.front().message();
}

void check_gemv(std::uint32_t rows, std::uint32_t columns, unsigned channels,
                std::uint32_t accumulators) {
    SCOPED_TRACE(fmt::format("{} x {}, {} channels", rows, columns, channels));
    const std::uint32_t x_gpr = 1;
    auto planned = plan_gemv({rows, columns}, channels,
                             {.layout = {},
                              .accumulators = accumulators,
                              .zero_gpr = 0,
                              .x_gpr = x_gpr,
                              .y_gpr = x_gpr + pim::units(columns, pim::lanes)});
    ASSERT_TRUE(planned.ok()) << planned.error().message();
    GemvPlan& plan = *planned;
    ItemWriter writer;
    write_gemv(plan, 0, writer);

    constexpr std::uint32_t first_row = 11;
    pim::DynamicMachine machine;
    const std::vector<Bf16> matrix = random_values(std::size_t{rows} * columns, rows);
    const std::vector<Bf16> x = random_values(columns, columns);
    pim::GemvLayout placed = plan.layout;
    placed.options.first_row = first_row;
    pim::place_matrix(placed, matrix, machine.memory());
    pim::place_in_gprs({}, 1, plan.zero_gpr, machine.memory());
    pim::place_in_gprs(x, plan.layout.tiles(), x_gpr, machine.memory());
    run(program_of(std::move(writer), channels, plan.weight_rows(), first_row), machine);
    ASSERT_FALSE(testing::Test::HasFatalFailure());

    const std::vector<Bf16> y = pim::gather_gprs(plan.y_gpr, rows, machine.memory());
    for (std::size_t r = 0; r < rows; ++r) {
        double sum = 0;
        double spread = 0;
        for (std::size_t c = 0; c < columns; ++c) {
            const double product =
                double{pim::to_float(matrix[r * columns + c])} * double{pim::to_float(x[c])};
            sum += product;
            spread += std::fabs(product);
        }
        // One rounding to bf16 of a sum in FP32.
        ASSERT_NEAR(double{pim::to_float(y[r])}, sum,
                    std::fabs(sum) * pim::bf16_roundoff + spread * columns * 0x1p-24)
            << "output " << r;
    }
}

TEST(gemv_plan, products_equal_the_reference) {
    check_gemv(1, 1, 1, 64);
    check_gemv(40, 100, 2, 64);
    check_gemv(640, 640, 32, 64);
    check_gemv(512, 2048, 32, 64);  // whole chunks
    check_gemv(513, 2100, 32, 64);  // a group and a chunk more
    check_gemv(1000, 1100, 3, 4);   // batches of accumulators, and a rest
    check_gemv(300, 70, 4, 1);
}

TEST(gemv_plan, chunk_and_group_are_taken_from_the_rows_of_the_layout) {
    auto plan = plan_gemv({4096, 14336}, 32, {});
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->weight_rows(), 8U * 14U);
    EXPECT_EQ(plan->y_tiles(), 256U);
}

TEST(gemv_plan, a_size_that_no_register_file_holds_is_refused) {
    const auto plan = plan_gemv({1U << 20, 128}, 32, {});
    ASSERT_FALSE(plan.ok());
    EXPECT_THAT(plan.error().message(), testing::HasSubstr("a module has 16384"));
}

TEST(gemv_plan, a_kept_vector_arrives_in_the_registers) {
    for (const std::uint32_t size : {5U, 640U, 512U * 3, 512U * 2 + 40}) {
        constexpr std::uint32_t first_row = 3;
        constexpr unsigned channels = 32;
        const VectorSlot slot = VectorSlot::at(21);
        const std::vector<Bf16> values = random_values(size, size);
        ItemWriter writer;
        write_vector_load(slot, pim::units(size, pim::lanes), 100, channels, 0, writer);
        pim::DynamicMachine machine;
        place_vector(slot, values, channels, first_row, machine.memory());
        run(program_of(std::move(writer), channels, 2, first_row), machine);
        EXPECT_EQ(pim::gather_gprs(100, size, machine.memory()), values);
    }
}

}  // namespace
}  // namespace memside::compiler
