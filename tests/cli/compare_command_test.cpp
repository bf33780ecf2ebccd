#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;

const std::vector<std::string> small{"compare",   "--model",  "llama-3.1-8b", "--context", "32K",
                                     "--systems", "gpu,cent", "--pim-cache",  "off"};

Outcome run(const Workplace& place, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = small;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return place.run(arguments);
}

TEST(CompareCommand, shows_three_tables_and_writes_what_it_is_asked_for) {
    const Workplace place;
    const Outcome text = run(place, {});
    EXPECT_EQ(text.exit_status, 0) << text.err;
    for (const char* heading : {"At equal capacity", "At equal cost", "At equal power"}) {
        EXPECT_THAT(text.out, HasSubstr(heading));
    }
    EXPECT_THAT(text.out, HasSubstr("modelled, not measured"));
    const Outcome json = run(place, {"--json", "-", "--csv", "c.csv", "--report", "r.html"});
    EXPECT_EQ(json.exit_status, 0) << json.err;
    EXPECT_THAT(json.out, testing::StartsWith("{\n  \"version\""));
    EXPECT_THAT(slurp(place.path() / "c.csv"), testing::StartsWith("at,family,model"));
    EXPECT_THAT(slurp(place.path() / "r.html"), HasSubstr("Who wins where, and why"));
    const Outcome cost = run(place, {"--at", "cost", "--reference", "a100x2"});
    EXPECT_THAT(cost.out, HasSubstr("1.67 USD/h"));
    EXPECT_THAT(cost.out, testing::Not(HasSubstr("At equal power")));
}

TEST(CompareCommand, what_is_wrong_exits_2_in_one_line) {
    const Workplace place;
    for (const std::vector<std::string>& more : {std::vector<std::string>{"--at", "weight"},
                                                 {"--reference", "a100x0"},
                                                 {"--tp", "2"},
                                                 {"--batch", "none"}}) {
        const Outcome outcome = run(place, more);
        EXPECT_EQ(outcome.exit_status, 2) << more.front();
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
    }
    const Outcome nothing = run(place, {"--reference", "cent-x1"});
    EXPECT_EQ(nothing.exit_status, 1);
    EXPECT_THAT(nothing.err, HasSubstr("--reference: cent-x1 pim"));
}

}  // namespace
}  // namespace memside
