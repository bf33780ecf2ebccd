// Where outputs go: none may destroy another or an input, and none is left half-written.
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

std::vector<std::string> simulate(const std::vector<std::string>& more) {
    std::vector<std::string> all{"simulate",    "--model",  "llama-3.1-70b", "--system",
                                 "a100x2-pnm8", "--policy", "pnm-kv"};
    for (const std::string& word : more) {
        // An option that is given replaces the one of the same name.
        const auto old = std::find(all.begin(), all.end(), word);
        if (word.starts_with("--") && old != all.end()) all.erase(old, old + 2);
        all.push_back(word);
    }
    return all;
}

std::string shipped(const std::string& path) {
    return slurp(std::string(MEMSIDE_SOURCE_DIR) + "/" + path);
}

void expect_bad_input(const Outcome& outcome, const std::string& says) {
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(says));
    EXPECT_EQ(outcome.out, "");
}

TEST(Outputs, may_not_share_a_target_however_it_is_named) {
    const Workplace place;
    fs::create_directory(place.path() / "sub");
    fs::create_directory_symlink("sub", place.path() / "linked");
    place.write("x", "before");
    fs::create_symlink("x", place.path() / "link");
    for (const auto& [first, second] : std::vector<std::pair<std::string, std::string>>{
             {"-", "-"}, {"x", "./x"}, {"x", "link"}, {"sub/y", "linked/y"}}) {
        expect_bad_input(place.run(simulate({"--context", "1K", "--json", first, "--csv", second})),
                         "--csv: '" + second + "' is the target of --json too; allowed: one each");
    }
    EXPECT_EQ(slurp(place.path() / "x"), "before");
    EXPECT_TRUE(fs::is_empty(place.path() / "sub"));
    // The summary goes to the file that the shell opened.
    const Outcome outcome =
        place.run(simulate({"--context", "1K", "--json", "x"}), "> " + place.file("x"));
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_THAT(outcome.err, HasSubstr("--json: 'x' is the target of standard output too"));
}

TEST(Outputs, never_replace_an_input_of_simulate) {
    const Workplace place;
    const std::string model = shipped("models/llama-3.1-8b/config.json");
    fs::create_directory(place.path() / "model");
    place.write("model/config.json", model);
    fs::create_directory_symlink("model", place.path() / "linked");
    const std::string workload = "context_tokens\n1024\n2048\n";
    place.write("work.csv", workload);
    const std::string system =
        "system: box\ncomponents:\n  gpu: {use: mine, count: 2}\n"
        "  gpu_link: {use: a100-nvlink}\n  cost: {use: us-prices}\n";
    place.write("box.yaml", system);
    const std::string gpu = shipped("systems/devices/a100-80gb.yaml");
    place.write("mine.yaml", gpu);

    expect_bad_input(place.run(simulate({"--context", "1K", "--model", "model/config.json",
                                         "--json", "linked/config.json"})),
                     "--json: 'linked/config.json' would replace the input 'model/config.json'");
    expect_bad_input(
        place.run(simulate({"--context", "1K", "--model", "linked", "--csv", "model/config.json"})),
        "--csv: 'model/config.json' would replace the input");
    expect_bad_input(place.run(simulate({"--workload", "work.csv", "--csv", "./work.csv"})),
                     "--csv: './work.csv' would replace the input 'work.csv' (--workload)");
    for (const char* file : {"box.yaml", "mine.yaml"}) {
        expect_bad_input(place.run({"simulate", "--model", "llama-3.1-8b", "--system", "./box.yaml",
                                    "--policy", "dense", "--context", "1K", "--report", file}),
                         fmt::format("--report: '{}' would replace the input", file));
    }
    EXPECT_EQ(slurp(place.path() / "model/config.json"), model);
    EXPECT_EQ(slurp(place.path() / "work.csv"), workload);
    EXPECT_EQ(slurp(place.path() / "box.yaml"), system);
    EXPECT_EQ(slurp(place.path() / "mine.yaml"), gpu);
}

TEST(Outputs, never_replace_a_result_that_is_reported) {
    const Workplace place;
    place.run(simulate({"--context", "1K", "--json", "a.json"}));
    const std::string before = slurp(place.path() / "a.json");
    ASSERT_FALSE(before.empty());
    expect_bad_input(place.run({"report", "a.json", "--csv", "./a.json"}),
                     "--csv: './a.json' would replace the input 'a.json'");
    EXPECT_EQ(slurp(place.path() / "a.json"), before);
}

TEST(Outputs, a_reader_that_goes_away_is_a_failure_that_leaves_nothing) {
    const Workplace place;
    const Outcome outcome = place.run_piped(
        "true", simulate({"--context", "128K", "--trace", "-", "--json", "x.json"}), "head -c 100");
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_EQ(outcome.out.size(), 100u);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("standard output: cannot write: Broken pipe"));
    EXPECT_TRUE(place.entries().empty());
}

TEST(Outputs, a_limit_on_file_sizes_is_a_failure_that_leaves_nothing) {
    const Workplace place;
    const Outcome outcome = place.run_piped(
        "ulimit -f 8", simulate({"--context", "1K", "--report", "x.html", "--csv", "x.csv"}),
        "cat");
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("x.html: cannot write: File too large"));
    EXPECT_TRUE(place.entries().empty());
}

TEST(Outputs, a_run_that_is_terminated_leaves_nothing) {
    const Workplace place;
    // Nobody reads the pipe: the program waits with its temporary in the folder.
    ASSERT_EQ(::mkfifo(place.file("pipe").c_str(), 0600), 0);
    const pid_t pid =
        place.start(simulate({"--context", "1K", "--json", "x.json", "--csv", "pipe"}));
    for (int i = 0; i < 6000 && place.entries().size() < 2; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_EQ(place.entries().size(), 2u);
    ::kill(pid, SIGTERM);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_THAT(place.entries(), UnorderedElementsAre("pipe"));
}

TEST(Outputs, a_name_that_is_too_long_fails_before_the_summary) {
    const Workplace place;
    const Outcome outcome =
        place.run(simulate({"--context", "1K", "--json", std::string(300, 'x')}));
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace memside
