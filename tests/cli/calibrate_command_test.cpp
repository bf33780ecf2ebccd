#include "cli/process.h"

namespace memside {
namespace {

TEST(CalibrateCommand, bad_input_is_refused_in_one_line_before_anything_is_measured) {
    const Workplace place;
    const auto error = [&](const std::vector<std::string>& arguments) {
        const Outcome outcome = place.run(arguments);
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_TRUE(place.entries().empty());
        return outcome.err;
    };
    EXPECT_THAT(error({"calibrate"}), testing::HasSubstr("-o: is required"));
    EXPECT_THAT(error({"calibrate", "-o", "x.yaml", "--turns", "0"}),
                testing::HasSubstr("--turns: '0' is out of range"));
    EXPECT_THAT(error({"calibrate", "-o", "x.yaml", "--dir", "/nowhere"}),
                testing::HasSubstr("--dir: '/nowhere' is not a folder"));
}

}  // namespace
}  // namespace memside
