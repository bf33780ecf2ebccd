#include "pnm/operation_table.h"

#include "pnm/devices.h"
#include "system/roofline.h"

namespace memside::pnm {
namespace {

// Cycles of one stage of a program; a stage of the table that has no work has none.
double cycles(const Program& program, std::string_view name) {
    for (const Stage& stage : program.stages) {
        if (stage.name == name) return stage.elements / stage.elements_per_cycle;
    }
    return 0;
}

class OperationTable : public testing::Test {
  protected:
    Program lowered(const auto& op) const { return lower(op, devices.spec).value(); }
    Devices devices;
};

TEST_F(OperationTable, attention_of_70b_takes_two_cycles_per_token_in_each_product) {
    // 64 query heads over 32 tiles; a head of 128 fills a tile.
    const Program program = lowered(attention_of(studied_models[1], 1, 32768));
    EXPECT_DOUBLE_EQ(cycles(program, "QK^T"), 2.0 * 32768);
    EXPECT_DOUBLE_EQ(cycles(program, "SV"), 2.0 * 32768);
    EXPECT_DOUBLE_EQ(cycles(program, "exp"), 2.0 * 32768);
    // 4 KiB of K and V per token through a port of 2 KiB.
    EXPECT_DOUBLE_EQ(cycles(program, "feed tiles"), 2.0 * 32768);
    EXPECT_DOUBLE_EQ(program.bytes, 32768 * 4096.0);
}

TEST_F(OperationTable, short_heads_share_a_tile_and_long_ones_take_several_cycles) {
    const auto qk = [&](double dim) {
        return cycles(lowered(Attention{1, 32, 8, dim, 128, 16, 32}), "QK^T") / 128;
    };
    EXPECT_DOUBLE_EQ(qk(32), 0.25);
    EXPECT_DOUBLE_EQ(qk(64), 0.5);
    EXPECT_DOUBLE_EQ(qk(80), 1.0);  // 48 lanes idle
    EXPECT_DOUBLE_EQ(qk(128), 1.0);
    EXPECT_DOUBLE_EQ(qk(256), 2.0);
}

TEST_F(OperationTable, a_block_of_tokens_that_is_not_full_costs_a_whole_one) {
    const auto sv = [&](double tokens) {
        return cycles(lowered(Attention{1, 32, 8, 128, tokens, 16, 32}), "SV");
    };
    EXPECT_DOUBLE_EQ(sv(1), 128);
    EXPECT_DOUBLE_EQ(sv(128), 128);
    EXPECT_DOUBLE_EQ(sv(129), 256);
}

TEST_F(OperationTable, a_digest_takes_two_lanes_per_channel) {
    // 32 pages x 32 heads x 2 cycles over 32 tiles.
    const Program program = lowered(DigestScan{32, 32, 8, 128, 16});
    EXPECT_DOUBLE_EQ(cycles(program, "q min, q max, larger, sum"), 64);
    EXPECT_DOUBLE_EQ(cycles(lowered(DigestScan{32, 32, 8, 64, 16}), "q min, q max, larger, sum"),
                     32);
    EXPECT_DOUBLE_EQ(program.bytes, 32 * 2 * 8 * 128 * 2.0);
}

TEST_F(OperationTable, a_group_wider_than_the_tiles_is_fed_twice) {
    const auto fed = [&](double heads) {
        return cycles(lowered(Attention{1, heads, 1, 128, 1024, 16, 32}), "feed tiles");
    };
    EXPECT_DOUBLE_EQ(fed(32) * 2048, 1024 * 512.0);
    EXPECT_DOUBLE_EQ(fed(33), 2 * fed(32));
}

TEST_F(OperationTable, scores_beyond_the_buffers_are_spilled) {
    // 2.25 MiB hold 2^17 scores of 8 bytes twice: the 18th and later passes go through DRAM.
    EXPECT_EQ(lowered(TopK{131072, 1}).bytes, 0);
    EXPECT_DOUBLE_EQ(lowered(TopK{262144, 1}).bytes, 16.0 * 262144);
    EXPECT_DOUBLE_EQ(lowered(TopK{1048576, 1}).bytes, 3 * 16.0 * 1048576);
}

TEST_F(OperationTable, bytes_and_flops_are_those_of_the_roofline) {
    const Operation operations[] = {attention_of(studied_models[2], 12, 4096),
                                    scan_of(studied_models[2], 12, 131072), append_of(12)};
    for (const Operation& op : operations) {
        const OperationCost simulated = *devices.simulated->cost(op);
        const OperationCost roofline = *devices.roofline->cost(op);
        EXPECT_DOUBLE_EQ(simulated.bytes, roofline.bytes);
        EXPECT_DOUBLE_EQ(simulated.flops, roofline.flops);
    }
}

TEST_F(OperationTable, every_unit_and_kernel_is_in_use) {
    std::vector<int> units(unit_count);
    std::vector<int> kernels(std::size(kernel_names));
    for (const OperationRow& row : operation_table()) {
        ++units[index(row.unit)];
        ++kernels[static_cast<std::size_t>(row.kernel)];
        EXPECT_EQ(row.unit == Unit::dram, row.rate == Rate::dram) << row.stage;
        for (const Extent extent : row.work) EXPECT_NE(extent_name(extent), "");
    }
    EXPECT_THAT(units, testing::Each(testing::Gt(0)));
    EXPECT_THAT(kernels, testing::Each(testing::Gt(0)));
}

TEST_F(OperationTable, a_working_set_beyond_the_buffers_is_refused) {
    const auto cost = devices.simulated->cost(Attention{1, 4096, 8, 512, 128, 16, 32});
    ASSERT_FALSE(cost.ok());
    // 4,096 heads x (512 + 128) x 6 bytes.
    EXPECT_THAT(cost.error().message(),
                testing::HasSubstr("attention of 4096 heads of 512 keeps 15 MiB at once, and the "
                                   "vector buffers hold 2.25 MiB"));
}

}  // namespace
}  // namespace memside::pnm
