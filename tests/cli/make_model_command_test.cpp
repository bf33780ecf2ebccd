#include <gmock/gmock.h>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;

const std::string shape = MEMSIDE_SOURCE_DIR "/tests/engine/shapes/qwen2.json";

TEST(MakeModelCommand, writes_a_model_that_simulate_reads) {
    const Workplace place;
    const Outcome made = place.run({"make-model", "--shape", shape, "--type", "q4_0", "--seed", "7",
                                    "-o", place.file("x.gguf")});
    EXPECT_EQ(made.exit_status, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("317952 parameters of qwen2"));
    const Outcome simulated = place.run({"simulate", "--model", place.file("x.gguf"), "--system",
                                         "a100x1", "--policy", "dense", "--context", "1K"});
    EXPECT_EQ(simulated.exit_status, 0) << simulated.err;
}

TEST(MakeModelCommand, to_standard_output_it_writes_the_model_alone) {
    const Workplace place;
    const Outcome piped = place.run({"make-model", "--shape", shape, "-o", "-"});
    EXPECT_EQ(piped.exit_status, 0) << piped.err;
    place.run({"make-model", "--shape", shape, "-o", place.file("x.gguf")});
    EXPECT_EQ(piped.out, slurp(place.file("x.gguf")));
}

TEST(MakeModelCommand, what_is_wrong_takes_one_line_and_status_2) {
    const Workplace place;
    place.run({"make-model", "--shape", shape, "-o", place.file("x.gguf")});
    for (const auto& arguments :
         std::vector<std::vector<std::string>>{{},
                                               {"--shape", shape},
                                               {"-o", "x"},
                                               {"--shape", "no-such-model", "-o", "x"},
                                               {"--shape", shape, "--type", "q2_k", "-o", "x"},
                                               {"--shape", shape, "--seed", "-1", "-o", "x"},
                                               {"--shape", shape, "-o", ""},
                                               {"--shape", shape, "-o", shape},
                                               {"--shape", place.file("x.gguf"), "-o", "y"}}) {
        std::vector<std::string> all{"make-model"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        const Outcome outcome = place.run(all);
        EXPECT_EQ(outcome.exit_status, 2) << outcome.err;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
    }
    EXPECT_EQ(place.run({"make-model", "--shape", shape, "-o", "/dev/full"}).exit_status, 1);
}

}  // namespace
}  // namespace memside
