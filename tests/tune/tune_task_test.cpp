#include "tune/tune_task.h"

#include "cli/process.h"
#include "tune/kernels.h"
#include "tune/spaces.h"

namespace memside::tune {
namespace {

// Kernels that behave as their first knob says (kernels.h); no hangs, to be quick.
class TestTarget : public Target {
  public:
    Result<std::shared_ptr<const SearchSpace>> space(const Task& task) const override {
        if (task.dtype != "int8") return bad_input("--dtype", "allowed: int8");
        return std::shared_ptr<const SearchSpace>(
            std::make_shared<PlainSpace>(std::vector<std::size_t>{7, 4}));
    }
    Result<MeasurerFactory> measurer(const Task& /*task*/, std::uint64_t /*seed*/) const override {
        return MeasurerFactory(make_test_measurer);
    }
    Result<KernelFiles> emit(const Task& /*task*/, const std::string& /*config*/,
                             const std::string& symbol) const override {
        return KernelFiles{"object", symbol};
    }
};

Task task() {
    return {*conv::parse_shape("1,8,8,8,8,1,1,1,0", ""), "int8", "x86-vnni", 1, "machine"};
}

TuneOptions options(const std::string& method, std::size_t trials) {
    TuneOptions all;
    all.method = *parse_method(method, "");
    all.search.plan = 8;
    all.search.most_trials = trials;
    all.sampling = {1, 1e3, true};
    return all;
}

TEST(TuneTask, finds_a_kernel_that_equals_the_reference) {
    const auto outcome = tune_task(TestTarget(), task(), options("distinct", 20), nullptr);
    ASSERT_TRUE(outcome.ok()) << outcome.error().message();
    EXPECT_EQ(outcome->search.trials.size(), 20);
    ASSERT_TRUE(outcome->search.best.has_value());
    const auto& best = outcome->search.trials[*outcome->search.best];
    EXPECT_EQ(outcome->candidates->point(best.candidate)[0], good);
    EXPECT_EQ(outcome->exhaustive_best_ns, std::nullopt);
    EXPECT_EQ(outcome->gops(2), 2.0 * 8 * 8 * 8 * 8 / 2);
}

TEST(TuneTask, the_best_of_the_whole_space_is_known_to_later_searches) {
    const Workplace place;
    auto database = Database::open(place.file("t.sqlite"));
    ASSERT_TRUE(database.ok());
    const auto whole = tune_task(TestTarget(), task(), options("exhaustive", 100), database->get());
    ASSERT_TRUE(whole.ok());
    EXPECT_TRUE(whole->search.complete);
    EXPECT_EQ(whole->exhaustive_best_ns, whole->search.best_time_ns());
    const auto later = tune_task(TestTarget(), task(), options("random", 9), database->get());
    EXPECT_EQ(later->exhaustive_best_ns, whole->exhaustive_best_ns);
}

TEST(TuneTask, a_resumed_search_measures_nothing_again) {
    const Workplace place;
    auto database = Database::open(place.file("t.sqlite"));
    TuneOptions how = options("genetic", 15);
    const auto first = tune_task(TestTarget(), task(), how, database->get());
    how.resume = true;
    std::size_t kept = 0;
    how.search.progress = [&](const SearchProgress& now) { kept = now.kept; };
    const auto second = tune_task(TestTarget(), task(), how, database->get());
    EXPECT_EQ(kept, 15);
    EXPECT_EQ(second->search.best_time_ns(), first->search.best_time_ns());
}

TEST(TuneTask, what_a_target_does_not_have_is_its_error) {
    Task wrong = task();
    wrong.dtype = "int3";
    EXPECT_EQ(tune_task(TestTarget(), wrong, options("random", 9), nullptr).error().message(),
              "--dtype: allowed: int8");
}

TEST(Targets, an_unknown_one_gets_a_suggestion_and_one_without_a_generator_says_so) {
    EXPECT_THAT(find_target("x86-vni", "--target").error().message(),
                testing::HasSubstr("did you mean 'x86-vnni'?"));
    for (const TargetKind& kind : targets()) {
        const auto found = find_target(std::string(kind.name), "--target");
        EXPECT_EQ(found.ok(), kind.make != nullptr);
        if (found.ok()) continue;
        EXPECT_EQ(found.error().exit_status(), 1);
        EXPECT_THAT(found.error().message(), testing::HasSubstr("code generator"));
    }
}

}  // namespace
}  // namespace memside::tune
