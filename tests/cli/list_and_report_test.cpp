#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;

TEST(ListCommand, shows_every_model_system_and_policy_that_is_promised) {
    const Workplace place;
    const std::string models = place.run({"list", "models"}).out;
    for (const char* name :
         {"llama-2-13b", "llama-3.1-8b", "llama-3.1-70b", "llama-3.1-405b", "llama-3.2-1b",
          "qwen1.5-7b", "qwen1.5-72b", "qwen2.5-7b", "qwen3-8b", "gemma-3-270m", "gemma-3-4b"}) {
        EXPECT_THAT(models, HasSubstr(name));
    }
    const std::string systems = place.run({"list", "systems"}).out;
    for (const char* name :
         {"a100x1 ", "h100x8-cxl", "a100x2-pnm8", "rack-2x8a100-pnm64", "rack-2x8a100-cxl"}) {
        EXPECT_THAT(systems, HasSubstr(name));
    }
    EXPECT_THAT(place.run({"list", "policies"}).out, HasSubstr("pnm-kv"));
    EXPECT_EQ(place.run({"list", "experiments"}).exit_status, 0);
}

TEST(ListCommand, what_cannot_be_listed_is_refused) {
    const Workplace place;
    for (const auto& arguments : std::vector<std::vector<std::string>>{
             {"list"}, {"list", "everything"}, {"list", "models", "systems"}}) {
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
    }
}

TEST(ListCommand, an_unknown_list_gets_a_suggestion) {
    const Workplace place;
    EXPECT_THAT(place.run({"list", "modles"}).err,
                HasSubstr("unknown value 'modles'; did you mean 'models'? (allowed: models, "));
}

TEST(ListCommand, lines_have_no_trailing_blanks) {
    const Workplace place;
    for (const char* what : {"models", "systems", "policies"}) {
        EXPECT_THAT(place.run({"list", what}).out, testing::Not(HasSubstr(" \n"))) << what;
    }
}

TEST(ListCommand, its_help_shows_one_argument) {
    const Workplace place;
    EXPECT_THAT(place.run({"list", "--help"}).out, HasSubstr("list [OPTIONS] [what]\n"));
    EXPECT_THAT(place.run({"report", "--help"}).out, HasSubstr("report [OPTIONS] [results...]\n"));
}

TEST(ListCommand, that_there_are_no_experiments_is_said_beside_the_output) {
    const Workplace place;
    std::filesystem::create_directories(place.path() / "data/systems");
    std::filesystem::create_directories(place.path() / "data/models");
    ASSERT_EQ(::setenv("MEMSIDE_DATA", place.file("data").c_str(), 1), 0);
    const Outcome without = place.run({"list", "experiments"});
    std::filesystem::create_directories(place.path() / "data/experiments");
    place.write("data/experiments/batch.yaml", "");
    const Outcome with_one = place.run({"list", "experiments"});
    ::unsetenv("MEMSIDE_DATA");
    EXPECT_EQ(without.exit_status, 0);
    EXPECT_EQ(without.out, "");
    EXPECT_TRUE(without.one_line()) << without.err;
    EXPECT_EQ(with_one.out, "batch\n");
    EXPECT_EQ(with_one.err, "");
}

class Saved : public testing::Test {
  protected:
    void simulate(const std::string& system, const std::string& policy, const std::string& file) {
        place.run({"simulate", "--model", "llama-3.1-70b", "--system", system, "--policy", policy,
                   "--context", "128K", "--json", file});
    }
    Workplace place;
};

TEST_F(Saved, results_are_compared_in_the_terminal_and_in_one_page) {
    simulate("a100x2", "dense", "a.json");
    simulate("a100x4", "dense", "b.json");
    simulate("a100x2-pnm8", "pnm-kv", "c.json");
    const Outcome outcome =
        place.run({"report", "a.json", "b.json", "c.json", "--html", "out.html", "--csv", "t.csv"});
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("nothing fits"));
    EXPECT_THAT(outcome.out, HasSubstr("a100x2-pnm8"));
    EXPECT_THAT(slurp(place.path() / "out.html"), HasSubstr("a100x2-pnm8"));
    EXPECT_THAT(slurp(place.path() / "t.csv"), HasSubstr("a100x2-pnm8"));
}

TEST_F(Saved, a_file_that_is_no_result_is_refused) {
    place.write("bad.json", "{\"model\": 3}");
    place.write("cut.json", "{\"model\": ");
    for (const char* file : {"bad.json", "cut.json", "missing.json", "."}) {
        const Outcome outcome = place.run({"report", file, "--html", "out.html"});
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
    }
}

}  // namespace
}  // namespace memside
