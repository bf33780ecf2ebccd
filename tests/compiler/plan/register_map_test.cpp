#include "compiler/plan/register_map.h"

#include <rapidcheck/gtest.h>

namespace memside::compiler {
namespace {

TEST(register_map, the_lowest_range_that_fits_is_taken) {
    RegisterMap map(100);
    const RegisterRange a = map.take(10, "a").value();
    const RegisterRange b = map.take(20, "b").value();
    EXPECT_EQ(a, (RegisterRange{0, 10}));
    EXPECT_EQ(b, (RegisterRange{10, 20}));
    map.give(a);
    EXPECT_EQ(map.take(11, "c").value(), (RegisterRange{30, 11}));
    EXPECT_EQ(map.take(10, "d").value(), (RegisterRange{0, 10}));
    EXPECT_EQ(map.largest(), (RegisterRange{41, 59}));
}

TEST(register_map, what_does_not_fit_is_refused_by_name) {
    RegisterMap map(8);
    const auto refused = map.take(9, "scores");
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("scores: needs 9 registers"));
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("8 are free"));
}

// Against a flag for each register.
TEST(register_map, ranges_never_overlap_and_all_come_back) {
    rc::check([] {
        RegisterMap map(64);
        std::vector<bool> used(64, false);
        std::vector<RegisterRange> taken;
        const auto set = [&](const RegisterRange& range, bool value) {
            for (std::uint32_t i = range.first; i < range.first + range.tiles; ++i) {
                RC_ASSERT(used.at(i) != value);
                used[i] = value;
            }
        };
        for (int step = 0; step < 60; ++step) {
            if (!taken.empty() && *rc::gen::arbitrary<bool>()) {
                const auto which = *rc::gen::inRange<std::size_t>(0, taken.size());
                set(taken[which], false);
                map.give(taken[which]);
                taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(which));
            } else if (const auto range =
                           map.take(*rc::gen::inRange<std::uint32_t>(1, 20), "some")) {
                set(*range, true);
                taken.push_back(*range);
            }
        }
        for (const RegisterRange& range : taken) map.give(range);
        RC_ASSERT(map.largest() == (RegisterRange{0, 64}));
    });
}

}  // namespace
}  // namespace memside::compiler
