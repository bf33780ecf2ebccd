#include "report/bakeoff.h"

#include <nlohmann/json.hpp>

#include "tune/spaces.h"

namespace memside {
namespace {

using tune::Replay;

// Two methods, three seeds, results written by hand.
Bakeoff by_hand() {
    Bakeoff bakeoff;
    bakeoff.truths.push_back(
        {"a <layer>",
         tune::listed(std::make_shared<tune::PlainSpace>(std::vector<std::size_t>{3})),
         {3000, 1000, 2000},
         1000});
    for (const char* name : {"distinct", "annealing"}) {
        bakeoff.options.methods.push_back(*tune::parse_method(name, ""));
    }
    bakeoff.options.seeds = 3;
    bakeoff.command = "memside tune bakeoff";
    using Reached = std::array<std::optional<std::size_t>, 3>;
    const auto add = [&](std::size_t method, std::uint64_t seed, const Reached& reached) {
        bakeoff.replays.push_back({0, method, 64, seed, reached, {0.5F, 0.5F, 1.0F}});
    };
    add(0, 1, {10, 100, 100});
    add(0, 2, {20, 50, 300});
    add(0, 3, {30, 60, std::nullopt});
    add(1, 1, {10, 200, 400});
    add(1, 2, {10, 240, 500});
    add(1, 3, {70, 300, 600});
    return bakeoff;
}

TEST(Bakeoff, the_runs_are_a_row_each) {
    EXPECT_THAT(
        bakeoff_runs_csv(by_hand()),
        testing::StartsWith("truth,method,plan,seed,trials_to_95,trials_to_99,trials_to_100\n"
                            "a <layer>,distinct,64,1,10,100,100\n"
                            "a <layer>,distinct,64,2,20,50,300\n"
                            "a <layer>,distinct,64,3,30,60,\n"));
}

TEST(Bakeoff, the_summary_has_medians_and_quartiles) {
    EXPECT_EQ(bakeoff_summary_csv(by_hand()),
              "truth,points,method,plan,seeds,trials_to_95_low,trials_to_95_median,"
              "trials_to_95_high,trials_to_99_low,trials_to_99_median,trials_to_99_high,"
              "trials_to_100_low,trials_to_100_median,trials_to_100_high\n"
              "a <layer>,3,distinct,64,3,15,20,25,55,60,80,200,300,\n"
              "a <layer>,3,annealing,64,3,10,10,40,220,240,270,450,500,550\n");
}

TEST(Bakeoff, the_comparison_is_with_annealing) {
    const auto json = nlohmann::json::parse(bakeoff_json(by_hand()));
    EXPECT_EQ(json["base"], "annealing");
    EXPECT_EQ(json["trials_to_99_against_base"][0]["geometric_mean"], 0.25);
    EXPECT_EQ(json["trials_to_99_against_base"][0]["truths_counted"], 1);
    EXPECT_EQ(json["searches"][0]["trials_to_100_high"], nullptr);
    EXPECT_THAT(bakeoff_text(by_hand(), false), testing::HasSubstr("60 (55 to 80)"));
}

TEST(Bakeoff, the_page_has_a_curve_per_method_and_escapes_names) {
    const std::string page = bakeoff_page(by_hand());
    EXPECT_THAT(page, testing::HasSubstr("a &lt;layer&gt;, plans of 64"));
    EXPECT_THAT(page, testing::Not(testing::HasSubstr("a <layer>")));
    EXPECT_THAT(page, testing::HasSubstr("distinct: 50.0 % after 1 trials"));
    EXPECT_THAT(page, testing::HasSubstr("annealing: 100.0 % after 3 trials"));
    EXPECT_THAT(page, testing::HasSubstr("300 (200 to -)"));
}

}  // namespace
}  // namespace memside
