#include "tune/search.h"

#include <set>

#include "cli/process.h"
#include "tune/isolated_runner.h"
#include "tune/kernels.h"
#include "tune/spaces.h"

namespace memside::tune {
namespace {

std::shared_ptr<const Candidates> space() {
    return listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{6, 5, 5}));
}

Measure timed(std::shared_ptr<const Candidates> list, std::size_t* calls = nullptr) {
    return [list, calls](CandidateId id) -> Result<TrialResult> {
        if (calls != nullptr) ++*calls;
        if (id % 5 == 2) return failed(TrialStatus::wrong, "differs");
        return TrialResult{TrialStatus::ok, 100 / rugged_score(*list, id), ""};
    };
}

std::string text_of(const SearchOutcome& outcome) {
    std::string text;
    for (const auto& trial : outcome.trials) {
        text += fmt::format("{} {} {};", trial.candidate, trial.result.time_ns, trial.result.error);
    }
    return text;
}

Task task() {
    return {*conv::parse_shape("1,64,56,56,64,3,3,1,1", ""), "int8", "x86-vnni", 1, "machine"};
}

TEST(Search, covers_a_space_and_knows_its_best) {
    const auto list = space();
    SearchOptions options;
    options.plan = 16;
    for (const std::string& name : explorer_names()) {
        const auto outcome = search(list, *parse_method(name, ""), options, timed(list));
        ASSERT_TRUE(outcome.ok());
        EXPECT_TRUE(outcome->complete);
        EXPECT_EQ(outcome->trials.size(), 150);
        EXPECT_EQ(outcome->failures, 30);
        double best = 1e9;
        for (CandidateId id = 0; id < 150; ++id) {
            if (id % 5 != 2) best = std::min(best, 100 / rugged_score(*list, id));
        }
        EXPECT_EQ(outcome->best_time_ns(), best);
    }
}

TEST(Search, stops_at_the_limit_of_trials_and_of_time) {
    const auto list = space();
    SearchOptions options;
    options.plan = 16;
    options.most_trials = 21;
    std::vector<std::size_t> told;
    options.progress = [&](const SearchProgress& now) { told.push_back(now.trials); };
    const auto some = search(list, *parse_method("distinct", ""), options, timed(list));
    EXPECT_EQ(some->trials.size(), 21);
    EXPECT_FALSE(some->complete);
    EXPECT_EQ(told.size(), 21);
    options.most_minutes = 1e-12;
    EXPECT_EQ(search(list, *parse_method("random", ""), options, timed(list))->trials.size(), 0);
}

TEST(Search, a_search_that_was_cut_off_goes_on_as_if_it_had_not_been) {
    const auto list = space();
    for (const char* name : {"distinct", "genetic", "droplet"}) {
        const Workplace place;
        auto opened = Database::open(place.file("t.sqlite"));
        ASSERT_TRUE(opened.ok());
        Database* database = opened->get();
        const Method method = *parse_method(name, "");
        SearchOptions options;
        options.plan = 16;
        options.most_trials = 100;
        const auto whole = search(list, method, options, timed(list));
        const SearchKey key{name, 1, 16};
        // Cut off by an error in the middle of a batch.
        std::size_t calls = 0;
        const Measure inner = timed(list, &calls);
        const SearchStore store{database, *database->begin(task(), key, true)};
        const auto cut = search(
            list, method, options,
            [&](CandidateId id) -> Result<TrialResult> {
                if (calls == 57) return Error{"disk", "full", Error::Kind::environment};
                return inner(id);
            },
            store);
        EXPECT_FALSE(cut.ok());
        calls = 0;
        const SearchStore again{database, *database->begin(task(), key, true)};
        std::size_t kept = 0;
        options.progress = [&](const SearchProgress& now) { kept = now.kept; };
        const auto resumed = search(list, method, options, timed(list, &calls), again);
        ASSERT_TRUE(resumed.ok());
        EXPECT_EQ(text_of(*resumed), text_of(*whole)) << name;
        EXPECT_EQ(calls, 43);
        EXPECT_EQ(kept, 57);
    }
}

// The whole chain: candidates in a process of their own, a space in which most of them misbehave.
TEST(Search, goes_on_when_candidates_crash_hang_or_are_wrong) {
    auto started = IsolatedRunner::start(make_test_measurer, {5, 0});
    ASSERT_TRUE(started.ok());
    const auto list = listed(std::make_shared<PlainSpace>(std::vector<std::size_t>{8}));
    const auto outcome =
        search(list, *parse_method("distinct", ""), {1, 4, 8, 0, {}},
               [&](CandidateId id) { return (*started)->run(list->point(id), {1, 1e3, false}); });
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->trials.size(), 8);
    EXPECT_EQ(outcome->failures, 7);
    ASSERT_TRUE(outcome->best.has_value());
    // Only kernels that equal the reference can win.
    EXPECT_EQ(list->point(outcome->trials[*outcome->best].candidate)[0], good);
    std::set<TrialStatus> seen;
    for (const auto& trial : outcome->trials) seen.insert(trial.result.status);
    EXPECT_EQ(seen.size(), 5);
}

}  // namespace
}  // namespace memside::tune
