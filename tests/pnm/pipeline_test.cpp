#include "pnm/pipeline.h"

#include "pnm/devices.h"

namespace memside::pnm {
namespace {

class Pipeline : public testing::Test {
  protected:
    Pipeline() { devices.spec.kernel_latency_s = 0; }

    Stage read(double bytes) const {
        return {"read", Unit::dram, bytes, 1, Access::read_sequential, 0};
    }
    KernelTime time(const std::vector<Stage>& stages, double bytes) const {
        Program program;
        program.stages = stages;
        program.bytes = bytes;
        return run(program, devices.spec, *devices.dram);
    }

    Devices devices;
};

TEST_F(Pipeline, stages_of_one_unit_follow_each_other_and_units_overlap) {
    // 8 MiB are 16 blocks. At 1 GHz: multipliers 30 us, SFU 8 us, DRAM about 7.8 us.
    const double bytes = 8 << 20;
    const KernelTime result = time({read(bytes),
                                    {"a", Unit::multipliers, 640'000, 32},
                                    {"b", Unit::multipliers, 320'000, 32},
                                    {"c", Unit::sfu, 8'000, 1}},
                                   bytes);
    const double dram_s = devices.dram->cost(Access::read_sequential, bytes).time_s;
    EXPECT_NEAR(result.busy_s[index(Unit::multipliers)], 30e-6, 1e-12);
    EXPECT_EQ(result.busiest, Unit::multipliers);
    EXPECT_NEAR(result.time_s, 30e-6 + (8e-6 + dram_s) / 16, 1e-12);
}

TEST_F(Pipeline, what_fits_half_of_the_dma_buffers_does_not_overlap) {
    const double bytes = 512 << 10;
    const KernelTime result = time({read(bytes), {"a", Unit::multipliers, 3200, 32}}, bytes);
    EXPECT_NEAR(result.time_s, devices.dram->cost(Access::read_sequential, bytes).time_s + 100e-9,
                1e-12);
}

TEST_F(Pipeline, work_takes_whole_cycles) {
    EXPECT_NEAR(time({{"a", Unit::sorter, 33, 32}}, 0).time_s, 2e-9, 1e-15);
}

TEST_F(Pipeline, the_start_is_paid_once) {
    devices.spec.kernel_latency_s = 1e-6;
    const KernelTime result = time({{"a", Unit::sorter, 320, 32}}, 0);
    EXPECT_NEAR(result.time_s, 1.01e-6, 1e-15);
    EXPECT_EQ(result.start_s, 1e-6);
}

TEST_F(Pipeline, another_data_rate_scales_the_dram_alone) {
    const double bytes = 64 << 20;
    const std::vector<Stage> stages{read(bytes), {"a", Unit::multipliers, 32e3, 32}};
    const KernelTime before = time(stages, bytes);
    devices.spec.dram_bytes_per_s /= 2;
    const KernelTime after = time(stages, bytes);
    EXPECT_DOUBLE_EQ(after.busy_s[index(Unit::dram)], 2 * before.busy_s[index(Unit::dram)]);
    EXPECT_EQ(after.busy_s[index(Unit::multipliers)], before.busy_s[index(Unit::multipliers)]);
    EXPECT_EQ(after.dram_command_energy_j, before.dram_command_energy_j);
}

}  // namespace
}  // namespace memside::pnm
