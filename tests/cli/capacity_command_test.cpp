#include "cli/process.h"

namespace memside {
namespace {

TEST(CapacityCommand, sets_what_four_sets_of_lengths_use_beside_what_is_stated) {
    const Workplace place;
    const Outcome outcome = place.run({"capacity", "--steps", "500"});
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    for (const char* said : {"qmsum", "musique", "multifieldqa", "loogle-sd", "36.2 % static",
                             "lengths are beta distributed"}) {
        EXPECT_THAT(outcome.out, testing::HasSubstr(said));
    }
}

TEST(CapacityCommand, gives_the_same_bytes_for_the_same_seed) {
    const Workplace place;
    const std::vector<std::string> arguments{"capacity", "--lengths", "qmsum", "--steps",
                                             "300",      "--json",    "-"};
    EXPECT_EQ(place.run(arguments).out, place.run(arguments).out);
}

TEST(CapacityCommand, bad_input_is_refused_in_one_line) {
    const Workplace place;
    const auto error = [&](const std::vector<std::string>& arguments) {
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        return outcome.err;
    };
    EXPECT_THAT(error({"capacity", "--lengths", "qmsun"}),
                testing::HasSubstr("no lengths are known of 'qmsun'"));
    EXPECT_THAT(error({"capacity", "--model", "llama-3.1-70b"}),
                testing::HasSubstr("--modules: 8 modules hold 128 GiB"));
    EXPECT_THAT(error({"capacity", "--chunk", "0"}), testing::HasSubstr("--chunk"));
}

}  // namespace
}  // namespace memside
