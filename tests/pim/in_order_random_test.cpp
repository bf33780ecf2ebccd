// The engine against the ticking reference on programs that no golden figure covers.
#include "pim/random_program.h"
#include "pim/tick_comparison.h"

namespace memside::pim {
namespace {

constexpr RefreshMode refresh_modes[] = {RefreshMode::off, RefreshMode::all_bank,
                                         RefreshMode::per_bank};

void expect_equal(RandomProgramOptions options, std::uint64_t first_seed, int programs,
                  int refresh_interval = 3800) {
    for (int i = 0; i < programs && !testing::Test::HasFailure(); ++i) {
        options.seed = first_seed + static_cast<std::uint64_t>(i);
        for (const RefreshMode mode : refresh_modes) {
            expect_as_ticking(
                random_program(options), mode,
                fmt::format("seed {}, refresh {}", options.seed, static_cast<int>(mode)),
                refresh_interval);
        }
    }
}

TEST(InOrderRandom, short_programs_on_one_channel_are_as_ticking) {
    expect_equal({.instructions = 12, .channels = 1, .barriers = 0.05}, 1000, 400);
}

TEST(InOrderRandom, short_programs_with_host_accesses_are_as_ticking) {
    expect_equal({.instructions = 40, .channels = 2, .rows = 2, .host = 0.5}, 2000, 300);
}

TEST(InOrderRandom, hosts_that_fill_their_queues_are_as_ticking) {
    expect_equal({.instructions = 400, .channels = 1, .rows = 3, .longest = 4, .host = 0.97}, 3000,
                 40);
}

TEST(InOrderRandom, programs_on_random_masks_are_as_ticking) {
    expect_equal({.instructions = 150, .longest = 16}, 4000, 25);
}

TEST(InOrderRandom, programs_on_a_few_masks_with_barriers_are_as_ticking) {
    expect_equal({.instructions = 200, .longest = 8, .host = 0.02, .barriers = 0.1, .masks = 3},
                 5000, 25);
}

TEST(InOrderRandom, programs_on_an_odd_number_of_channels_are_as_ticking) {
    for (const unsigned channels : {3u, 7u, 31u}) {
        expect_equal({.instructions = 120, .channels = channels, .longest = 24, .host = 0.05},
                     6000 + channels, 5);
    }
}

TEST(InOrderRandom, frequent_refresh_is_as_ticking) {
    expect_equal({.instructions = 80, .channels = 2, .rows = 2, .host = 0.2}, 7000, 20, 2500);
}

TEST(InOrderRandom, long_programs_are_as_ticking) {
    expect_equal({.instructions = 3000, .longest = 64, .whole = 0.9}, 8000, 1);
    expect_equal({.instructions = 3000, .longest = 64, .host = 0.3, .whole = 0.2}, 8100, 1);
}

}  // namespace
}  // namespace memside::pim
