#include "tune/truth.h"

namespace memside::tune {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Result<Truth> truth_of(const std::vector<std::string>& heads, const Rows& rows) {
    return make_truth("layer", "t.csv", {heads, rows, [](std::size_t row) {
                                             return fmt::format("t.csv:{}", row + 2);
                                         }});
}

TEST(Truth, is_a_space_with_a_time_per_point) {
    const auto truth = truth_of({"chunk", "layout", "feature_bytes", "time_ns", "error"},
                                {{"8", "tiled", "100", "50", ""},
                                 {"16", "nhwc", "200", "25", ""},
                                 {"2", "nhwc", "300", "", "crash: signal 11"}});
    ASSERT_TRUE(truth.ok()) << truth.error().message();
    ASSERT_EQ(truth->candidates->size(), 3);
    // Numbers in their order, words as they come.
    EXPECT_EQ(truth->candidates->knobs()[0].values, (std::vector<std::string>{"2", "8", "16"}));
    EXPECT_EQ(truth->candidates->knobs()[1].values, (std::vector<std::string>{"tiled", "nhwc"}));
    EXPECT_EQ(truth->best_time_ns, 25);
    const CandidateId slow = *truth->candidates->find({1, 0});
    EXPECT_EQ(truth->share_of_best(slow), 0.5);
    EXPECT_EQ(truth->share_of_best(*truth->candidates->find({0, 1})), 0);
    EXPECT_EQ(truth->candidates->find({2, 0}), std::nullopt);
    const auto row = truth->candidates->features().row(slow);
    EXPECT_EQ(std::vector<float>(row.begin(), row.end()), (std::vector<float>{8, 0, 100}));
}

TEST(Truth, says_what_is_wrong_and_where) {
    const auto message = [](const std::vector<std::string>& heads, const Rows& rows) {
        const auto truth = truth_of(heads, rows);
        return truth.ok() ? "" : truth.error().message();
    };
    EXPECT_EQ(message({"chunk"}, {{"1"}}), "t.csv: has no column 'time_ns'");
    EXPECT_EQ(message({"time_ns"}, {{"1"}}), "t.csv: has 0 columns for knobs; allowed: 1 to 16");
    EXPECT_EQ(message({"chunk", "time_ns"}, {}), "t.csv: has no row; allowed: a row per point");
    EXPECT_EQ(message({"chunk", "time_ns"}, {{"1", "5"}, {"1", "6"}}),
              "t.csv:3: the point is there twice");
    EXPECT_EQ(message({"chunk", "time_ns"}, {{"1", "-5"}}),
              "t.csv:2: time_ns: is negative; allowed: a time in ns, or nothing");
    EXPECT_THAT(message({"chunk", "time_ns"}, {{"1", "soon"}}),
                testing::StartsWith("t.csv:2: time_ns: "));
    EXPECT_EQ(message({"chunk", "time_ns"}, {{"1", ""}}), "t.csv: has no point that works");
}

}  // namespace
}  // namespace memside::tune
