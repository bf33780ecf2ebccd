#include "pnm/dram_streams.h"

#include <rapidcheck/gtest.h>
#include <thread>

#include "dram/stream.h"
#include "pnm/pnm_device.h"

namespace memside::pnm {
namespace {

const DramStreams& device_dram() {
    static const auto streams = DramStreams::shared(pnm_dram, 64).value();
    return *streams;
}

dram::StreamResult direct(Access access, double bytes, double piece) {
    dram::StreamRequest request;
    request.pattern = access == Access::read_pieces || access == Access::write_pieces
                          ? dram::Pattern::pages
                          : dram::Pattern::sequential;
    request.write = access == Access::write_pieces || access == Access::write_sequential;
    request.bytes = static_cast<std::uint64_t>(bytes);
    request.page_bytes = static_cast<std::uint64_t>(piece);
    request.channels = 64;
    request.mapping = pnm_mapping;
    request.refresh = dram::RefreshMode::per_bank;
    return dram::simulate_stream(device_dram().spec(), request).value();
}

TEST(DramStreams, a_power_of_two_is_what_the_simulation_says) {
    const double bytes = 1 << 24;
    for (const Access access : {Access::read_sequential, Access::read_pieces,
                                Access::write_sequential, Access::write_pieces}) {
        const StreamCost cost = device_dram().cost(access, bytes, 32 << 10);
        const dram::StreamResult result = direct(access, bytes, 32 << 10);
        EXPECT_DOUBLE_EQ(cost.time_s, result.time_s);
        EXPECT_DOUBLE_EQ(cost.command_energy_j,
                         result.energy.activate_j + result.energy.read_j + result.energy.write_j);
    }
}

RC_GTEST_PROP(DramStreams, between_and_beyond_it_is_near_the_simulation_of_that_very_stream, ()) {
    const double megabytes = *rc::gen::inRange(32, 400);
    const bool pieces = *rc::gen::arbitrary<bool>();
    const double piece = *rc::gen::element(16, 64, 128, 512) * 1024.0;
    const Access access = pieces ? Access::read_pieces : Access::read_sequential;
    const double bytes = megabytes * 1e6;
    const dram::StreamResult result = direct(access, bytes, piece);
    const double bytes_moved = pieces ? std::ceil(bytes / piece) * piece : bytes;
    const StreamCost cost = device_dram().cost(access, bytes_moved, piece);
    // The draw of the pieces, and with it the load of the fullest channel, is another.
    RC_ASSERT(std::abs(cost.time_s / result.time_s - 1) < (pieces ? 0.03 : 0.01));
    const double energy_j = result.energy.activate_j + result.energy.read_j;
    RC_ASSERT(std::abs(cost.command_energy_j / energy_j - 1) < 0.02);
}

RC_GTEST_PROP(DramStreams, no_stream_is_faster_than_the_pins, ()) {
    const double bytes = std::exp2(*rc::gen::inRange(0, 4000) * 0.01);
    const double piece = std::exp2(*rc::gen::inRange(0, 30));
    const Access access = *rc::gen::element(Access::read_sequential, Access::read_pieces,
                                            Access::write_sequential, Access::write_pieces);
    RC_ASSERT(device_dram().cost(access, bytes, piece).time_s >=
              bytes / device_dram().peak_bytes_per_s());
}

TEST(DramStreams, nothing_takes_no_time_and_part_of_a_piece_takes_as_long_as_the_piece) {
    EXPECT_EQ(device_dram().cost(Access::read_pieces, 0, 4096).time_s, 0);
    EXPECT_EQ(device_dram().cost(Access::read_pieces, 100, 65536).time_s,
              device_dram().cost(Access::read_pieces, 65536, 65536).time_s);
    EXPECT_GT(device_dram().cost(Access::read_sequential, 1).time_s, 20e-9);  // tRCD + tCL
}

TEST(DramStreams, standby_is_refresh_and_background_of_a_simulated_stream) {
    const dram::StreamResult result = direct(Access::read_sequential, 1 << 27, 0);
    EXPECT_NEAR(device_dram().standby_power_w(),
                (result.energy.refresh_j + result.energy.background_j) / result.time_s, 0.05);
}

TEST(DramStreams, threads_that_ask_in_any_order_get_the_same) {
    // A number of channels that no other test uses, so that every thread begins with nothing.
    const auto streams = DramStreams::shared(pnm_dram, 16).value();
    std::vector<std::vector<double>> times(4, std::vector<double>(20));
    constexpr std::size_t strides[] = {1, 3, 7, 11};
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < times.size(); ++thread) {
        threads.emplace_back([&, thread] {
            for (std::size_t i = 0; i < 20; ++i) {
                const std::size_t at = (i * strides[thread] + thread) % 20;
                times[thread][at] =
                    streams->cost(Access::read_pieces, 1e4 * static_cast<double>(at + 1), 8192)
                        .time_s;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& other : times) EXPECT_EQ(other, times[0]);
}

TEST(DramStreams, an_instance_is_shared_and_a_bad_dram_is_refused) {
    EXPECT_EQ(DramStreams::shared(pnm_dram, 64).value().get(), &device_dram());
    const auto missing = DramStreams::shared("lpddr9", 64);
    ASSERT_FALSE(missing.ok());
    EXPECT_THAT(missing.error().message(), testing::HasSubstr("unknown DRAM 'lpddr9'"));
    const auto without_per_bank = DramStreams::shared("ddr4-3200", 64);
    EXPECT_FALSE(without_per_bank.ok());
}

}  // namespace
}  // namespace memside::pnm
