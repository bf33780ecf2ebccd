#include "pnm/pnm_spec.h"

#include "pnm/devices.h"

namespace memside::pnm {
namespace {

std::string refusal(const Overrides& overrides) {
    const SystemSpec system = load_system("a100x1-pnm1", overrides).value();
    ConstantReader constants(system);
    const auto spec = read_pnm_spec(constants);
    return spec.ok() ? "" : spec.error().message();
}

TEST(PnmSpec, the_shipped_device_is_that_of_the_paper) {
    const PnmSpec spec = Devices().spec;
    EXPECT_EQ(spec.tiles, 32);
    EXPECT_EQ(spec.lanes, 128);
    EXPECT_EQ(spec.sram_bytes_per_cycle, 2048);
    EXPECT_EQ(spec.vector_buffer_bytes, 2.25 * 1024 * 1024);
    EXPECT_EQ(spec.dma_buffer_bytes, 1024 * 1024);
    EXPECT_EQ(spec.dram_channels, 64);
}

TEST(PnmSpec, the_bandwidth_is_that_of_its_channels) {
    const Devices devices;
    EXPECT_DOUBLE_EQ(devices.spec.dram_bytes_per_s, devices.dram->peak_bytes_per_s());
}

TEST(PnmSpec, structures_that_cannot_be_built_are_refused) {
    EXPECT_EQ(refusal({}), "");
    EXPECT_EQ(refusal({{"pnm.tiles", "33"}}),
              "--set: pnm.tiles is 33; allowed: a power of two of multipliers per tile, "
              "whose adders form a tree; now 4096 / 33");
    EXPECT_THAT(refusal({{"pnm.multipliers", "96"}}),
                testing::StartsWith("--set: pnm.multipliers is 96"));
    EXPECT_THAT(refusal({{"pnm.sort_width", "24"}}), testing::HasSubstr("sort_width is 24"));
    EXPECT_THAT(refusal({{"pnm.dram_channels", "48"}}), testing::HasSubstr("dram_channels is 48"));
    EXPECT_THAT(refusal({{"pnm.dram_channels", "8192"}}), testing::HasSubstr("up to 4096"));
}

}  // namespace
}  // namespace memside::pnm
