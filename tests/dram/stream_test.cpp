#include "dram/stream.h"

#include "dram/specs.h"
#include "dram/traffic.h"

namespace memside::dram {
namespace {

StreamResult run(const Spec& spec, const StreamRequest& request) {
    const auto result = simulate_stream(spec, request);
    if (!result.ok()) ADD_FAILURE() << result.error().message();
    return result.ok() ? *result : StreamResult{};
}

StreamRequest pnm_request() {
    StreamRequest request;
    request.bytes = std::uint64_t{1} << 30;
    request.channels = 64;
    request.refresh = RefreshMode::per_bank;
    return request;
}

TEST(Energy, the_commands_of_a_tiny_stream_add_up) {
    // Two hits in one row, a conflict, a write: 2 ACT + 3 RD + 1 WR.
    Spec spec = shipped("ddr4-3200");
    spec.energy = {10, 3, 5, 1000, 100, 2};  // pJ, and 2 mW of standby
    std::vector<IssuedCommand> log;
    ControllerOptions options;
    options.refresh = RefreshMode::none;
    RequestList source(
        {{0, 1, 0, false, 0}, {0, 1, 1, false, 0}, {0, 2, 0, false, 0}, {0, 2, 1, true, 0}});
    const auto stats = simulate(spec, options, source);
    ASSERT_TRUE(stats.ok());
    const EnergyBreakdown energy = channel_energy(spec, stats->commands, 1600);
    EXPECT_DOUBLE_EQ(energy.activate_j, 20e-12);
    EXPECT_DOUBLE_EQ(energy.read_j, 9e-12);
    EXPECT_DOUBLE_EQ(energy.write_j, 5e-12);
    EXPECT_DOUBLE_EQ(energy.refresh_j, 0);
    EXPECT_DOUBLE_EQ(energy.background_j, 2e-3 * 1000e-9);  // 1,600 clocks of 0.625 ns
    EXPECT_DOUBLE_EQ(energy.total_j(), 34e-12 + 2e-9);
}

TEST(Energy, refreshes_are_charged_by_kind) {
    Spec spec = shipped("ddr4-3200");
    spec.energy = {10, 3, 5, 1000, 100, 0};
    std::array<std::int64_t, all_commands> commands{};
    commands[index(Command::refab)] = 3;
    commands[index(Command::refpb)] = 7;
    EXPECT_DOUBLE_EQ(channel_energy(spec, commands, 1e6).total_j(), 3700e-12);
}

TEST(Stream, sequential_reads_come_close_to_the_peak_of_every_standard) {
    for (const char* name : shipped_names) {
        const Spec spec = shipped(name);
        StreamRequest request;
        request.bytes = std::uint64_t{64} << 20;
        request.channels = 4;
        request.refresh = RefreshMode::none;
        const StreamResult result = run(spec, request);
        EXPECT_GT(result.efficiency, 0.98) << name;
        EXPECT_LT(result.efficiency, 1.003) << name;  // DDR5's rounded clock
    }
}

TEST(Stream, a_pnm_device_draws_about_the_40_w_of_its_paper) {
    const StreamResult result = run(shipped("lpddr5x-8533"), pnm_request());
    EXPECT_NEAR(result.energy.total_j() / result.time_s, 40, 2);
    EXPECT_NEAR(result.bandwidth_bytes_per_s, 1.09e12, 0.03e12);
}

TEST(Stream, larger_pages_are_gathered_faster_and_none_as_fast_as_a_sweep) {
    const Spec spec = shipped("lpddr5x-8533");
    const double sweep = run(spec, pnm_request()).bandwidth_bytes_per_s;
    StreamRequest request = pnm_request();
    request.pattern = Pattern::random;
    double last = run(spec, request).bandwidth_bytes_per_s;
    request.pattern = Pattern::pages;
    for (const std::uint64_t kib : {8U, 64U, 1024U}) {
        request.page_bytes = kib << 10;
        const double bandwidth = run(spec, request).bandwidth_bytes_per_s;
        EXPECT_GT(bandwidth, last) << kib;
        EXPECT_LT(bandwidth, sweep) << kib;
        last = bandwidth;
    }
}

TEST(Stream, a_long_stream_is_continued_at_the_rate_of_a_shorter_one) {
    const Spec spec = shipped("lpddr5x-8533");
    for (const Pattern pattern : {Pattern::sequential, Pattern::pages, Pattern::random}) {
        StreamRequest request = pnm_request();
        request.pattern = pattern;
        request.page_bytes = 16 << 10;
        request.bytes = std::uint64_t{800} << 20;
        request.simulated_bursts = 1'000'000;
        const StreamResult whole = run(spec, request);
        request.simulated_bursts = StreamRequest{}.simulated_bursts;
        const StreamResult continued = run(spec, request);
        EXPECT_FALSE(whole.extrapolated);
        EXPECT_TRUE(continued.extrapolated);
        EXPECT_NEAR(continued.time_s / whole.time_s, 1, 0.02);
        EXPECT_NEAR(continued.energy.total_j() / whole.energy.total_j(), 1, 0.02);
        EXPECT_NEAR(continued.row_hit_ratio, whole.row_hit_ratio, 0.02);
    }
}

TEST(Stream, pages_that_lie_in_one_channel_each_load_the_channels_unevenly) {
    const Spec spec = shipped("lpddr5x-8533");
    StreamRequest request = pnm_request();
    request.pattern = Pattern::pages;
    request.page_bytes = 32 << 10;
    request.bytes = 640 * request.page_bytes;  // ten a channel
    request.mapping = "RoRaChBaBgCo";
    const StreamResult result = run(spec, request);
    // The fullest of 64 channels with ten pages on average: 17 to 25 in nearly every draw.
    EXPECT_GE(result.imbalance, 1.5);
    EXPECT_LE(result.imbalance, 2.8);
    request.mapping = "";
    EXPECT_DOUBLE_EQ(run(spec, request).imbalance, 1);
}

TEST(Stream, energy_is_that_of_all_channels) {
    const Spec spec = shipped("lpddr5x-8533");
    StreamRequest request = pnm_request();
    request.bytes = std::uint64_t{16} << 20;
    const StreamResult result = run(spec, request);
    const double bursts = static_cast<double>(request.bytes) / spec.burst_bytes;
    EXPECT_NEAR(result.energy.read_j, bursts * spec.energy.read_pj * 1e-12, 1e-12);
    EXPECT_NEAR(result.energy.background_j, 64 * spec.energy.background_mw * 1e-3 * result.time_s,
                1e-12);
}

TEST(Stream, writes_are_written) {
    StreamRequest request = pnm_request();
    request.write = true;
    const StreamResult result = run(shipped("lpddr5x-8533"), request);
    EXPECT_GT(result.energy.write_j, 0);
    EXPECT_DOUBLE_EQ(result.energy.read_j, 0);
    EXPECT_DOUBLE_EQ(result.mean_read_latency_s, 0);
}

TEST(Stream, the_same_seed_gives_the_same_result) {
    StreamRequest request = pnm_request();
    request.pattern = Pattern::random;
    const Spec spec = shipped("lpddr5x-8533");
    EXPECT_EQ(run(spec, request).time_s, run(spec, request).time_s);
    const double before = run(spec, request).time_s;
    request.seed = 2;
    EXPECT_NE(run(spec, request).time_s, before);
}

TEST(Stream, a_wrong_request_names_its_field) {
    const Spec spec = shipped("lpddr5x-8533");
    const auto message = [&](const StreamRequest& request) {
        const auto result = simulate_stream(spec, request);
        return result.ok() ? std::string() : result.error().message();
    };
    StreamRequest request = pnm_request();
    request.bytes = 0;
    EXPECT_THAT(message(request), testing::HasSubstr("stream.bytes: 0 bytes; allowed: 1 B"));
    request = pnm_request();
    request.pattern = Pattern::pages;
    request.page_bytes = 12345;
    EXPECT_THAT(message(request), testing::HasSubstr("stream.page_bytes: 12345 bytes; allowed"));
    request.page_bytes = std::uint64_t{1} << 30;
    request.channels = 1;
    const auto small = simulate_stream(shipped("gddr6-14000"), [&] {
        StreamRequest all_bank = request;
        all_bank.refresh = RefreshMode::all_bank;
        return all_bank;
    }());
    ASSERT_FALSE(small.ok());
    EXPECT_THAT(small.error().message(), testing::HasSubstr("more than the 536870912 of all"));
    request = pnm_request();
    request.channels = 48;
    EXPECT_THAT(message(request), testing::HasSubstr("48 channels; allowed: a power of two"));
    request = pnm_request();
    request.mapping = "RoCo";
    EXPECT_THAT(message(request), testing::HasSubstr("stream.mapping: 'RoCo' lacks"));
    request = pnm_request();
    request.queue = -1;
    EXPECT_THAT(message(request), testing::HasSubstr("1 to 4096"));
}

}  // namespace
}  // namespace memside::dram
