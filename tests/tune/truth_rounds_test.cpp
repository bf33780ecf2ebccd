#include "tune/truth_rounds.h"

#include <map>

#include "cli/process.h"
#include "tune/spaces.h"

namespace memside::tune {
namespace {

TEST(TruthRounds, a_time_is_the_median_and_the_spread_half_the_distance_of_the_quartiles) {
    const RoundTimes times{{10, 12, 14, 16, 90}, ""};
    EXPECT_EQ(times.time_ns(), 14);
    EXPECT_DOUBLE_EQ(times.spread(), (16.0 - 12.0) / 2 / 14);
    EXPECT_EQ((RoundTimes{{10}, ""}.spread()), 0);
    EXPECT_EQ((RoundTimes{{10}, "crashed: x"}.time_ns()), 0);
}

TEST(TruthRounds, every_candidate_has_its_rounds_and_the_best_have_more) {
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5, 4}));
    std::vector<CandidateId> order;
    const Measure measure = [&](CandidateId id) -> Result<TrialResult> {
        order.push_back(id);
        if (id == 7) return failed(TrialStatus::crashed, "signal 11");
        return TrialResult{TrialStatus::ok, 10 / rugged_score(*list, id), ""};
    };
    RoundOptions options;
    options.best_count = 4;
    options.best_rounds = 2;
    const auto times = measure_rounds(*list, options, measure);
    ASSERT_TRUE(times.ok());
    // A failure is not repeated.
    EXPECT_EQ(order.size(), 100 + 99 + 99 + 8);
    EXPECT_EQ(times->at(7).error, "crashed: signal 11");
    std::map<std::size_t, int> counts;
    for (const RoundTimes& one : *times) ++counts[one.samples_ns.size()];
    EXPECT_EQ(counts, (std::map<std::size_t, int>{{0, 1}, {3, 95}, {5, 4}}));
    for (CandidateId id = 0; id < 100; ++id) {
        const double expected = id == 7 ? 0 : 10 / rugged_score(*list, id);
        EXPECT_EQ(times->at(id).time_ns(), expected);
    }
    // No round has the order of another.
    EXPECT_FALSE(std::equal(order.begin(), order.begin() + 50, order.begin() + 100));
}

TEST(TruthRounds, rounds_that_were_cut_off_go_on) {
    const Workplace place;
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{5, 5}));
    auto database = Database::open(place.file("t.sqlite"));
    ASSERT_TRUE(database.ok());
    const Task task{*conv::parse_shape("1,8,8,8,8,1,1,1,0", ""), "int8", "x86-vnni", 1, "machine"};
    std::size_t calls = 0;
    const Measure measure = [&](CandidateId id) -> Result<TrialResult> {
        if (calls == 40) return Error{"disk", "full", Error::Kind::environment};
        ++calls;
        return TrialResult{TrialStatus::ok, 10.0 + id, ""};
    };
    RoundOptions options;
    options.best_count = 2;
    options.best_rounds = 1;
    EXPECT_FALSE(measure_rounds(*list, options, measure, database->get(), task).ok());
    calls = 100;
    const auto times = measure_rounds(*list, options, measure, database->get(), task);
    ASSERT_TRUE(times.ok());
    EXPECT_EQ(calls, 100 + 3 * 25 + 2 - 40);
    EXPECT_EQ(times->at(0).samples_ns.size(), 4);
}

}  // namespace
}  // namespace memside::tune
