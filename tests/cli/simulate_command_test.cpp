#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> seventy{"simulate", "--model",     "llama-3.1-70b",
                                       "--system", "a100x2-pnm8", "--policy",
                                       "pnm-kv",   "--context",   "128K"};

std::vector<std::string> with(std::vector<std::string> arguments,
                              const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

// `seventy` with the value of one option replaced.
std::vector<std::string> changed(const std::string& option, const std::string& value) {
    std::vector<std::string> arguments = seventy;
    for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
        if (arguments[i] == option) arguments[i + 1] = value;
    }
    return arguments;
}

TEST(SimulateCommand, json_on_standard_output_is_all_that_goes_there) {
    const Workplace place;
    const Outcome outcome = place.run(with(seventy, {"--json", "-"}));
    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_EQ(outcome.err, "");
    const json result = json::parse(outcome.out);
    EXPECT_EQ(result["batch"], 96);
    EXPECT_EQ(result["policy"], "pnm-kv");
    double phases = 0.0;
    for (const json& phase : result["phases"]) phases += phase["time_s"].get<double>();
    EXPECT_NEAR(phases, result["tpot_s"].get<double>(), 1e-12);
    EXPECT_NEAR(result["throughput_tok_per_s"].get<double>(), 96 / result["tpot_s"].get<double>(),
                1e-6);
}

TEST(SimulateCommand, the_batch_is_96_without_digests_in_the_capacity_too) {
    const Workplace place;
    const Outcome outcome =
        place.run(with(seventy, {"--set", "pnm.digest_in_capacity=false", "--json", "-"}));
    EXPECT_EQ(json::parse(outcome.out)["batch"], 96);
}

TEST(SimulateCommand, what_does_not_fit_exits_1_with_its_numbers_and_still_writes_json) {
    const Workplace place;
    const Outcome outcome =
        place.run({"simulate", "--model", "llama-3.1-405b", "--system", "rack-2x8a100-pnm64",
                   "--policy", "pnm-kv", "--context", "1M", "--json", "out.json"});
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("519.75 GiB of the 512 GiB"));
    EXPECT_EQ(json::parse(slurp(place.path() / "out.json"))["batch"], 0);
}

TEST(SimulateCommand, the_same_seed_gives_the_same_bytes_for_any_number_of_threads) {
    const Workplace place;
    const std::string one =
        place.run(with(seventy, {"--seed", "7", "--threads", "1", "--json", "-"})).out;
    for (const char* threads : {"2", "5", "0"}) {
        EXPECT_EQ(
            place.run(with(seventy, {"--seed", "7", "--threads", threads, "--json", "-"})).out,
            one);
    }
    EXPECT_EQ(json::parse(one)["seed"], 7);
}

TEST(SimulateCommand, every_output_can_be_written_at_once) {
    const Workplace place;
    const Outcome outcome = place.run(with(seventy, {"--json", "a.json", "--csv", "a.csv",
                                                     "--report", "a.html", "--trace", "t.json"}));
    EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(place.entries(),
                testing::UnorderedElementsAre("a.json", "a.csv", "a.html", "t.json"));
    EXPECT_THAT(outcome.out, HasSubstr("96"));
    EXPECT_TRUE(json::accept(slurp(place.path() / "t.json")));
}

struct BadCase {
    std::string name;
    std::vector<std::string> arguments;
    std::string says;
};

void PrintTo(const BadCase& bad, std::ostream* out) {
    *out << bad.name;
}

class BadInput : public testing::TestWithParam<BadCase> {};

TEST_P(BadInput, is_refused_in_one_line_with_exit_status_2_and_no_file) {
    const Workplace place;
    const Outcome outcome = place.run(with(GetParam().arguments, {"--json", "out.json"}));
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(GetParam().says));
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(place.entries().empty());
}

INSTANTIATE_TEST_SUITE_P(
    SimulateCommand, BadInput,
    testing::Values(
        BadCase{"context_0", changed("--context", "0"), "--context: '0' is out of range"},
        BadCase{"context_minus_5", changed("--context", "-5"), "--context: '-5' is out of range"},
        BadCase{"context_huge", changed("--context", "99999999999999999999"),
                "--context: '99999999999999999999' is out of range"},
        BadCase{"context_text", changed("--context", "many"), "is not a token count"},
        BadCase{"context_empty", changed("--context", ""), "is not a token count"},
        BadCase{"unknown_model", changed("--model", "llama-3.1-70"),
                "did you mean 'llama-3.1-70b'?"},
        BadCase{"unknown_system", changed("--system", "a100x2-pmn8"), "did you mean"},
        BadCase{"unknown_policy", changed("--policy", "pnm"), "did you mean 'pnm-kv'?"},
        BadCase{"policy_pim_without_modules", changed("--policy", "pim"), "needs DRAM-PIM modules"},
        BadCase{"policy_the_system_lacks", changed("--system", "a100x2"), "no CXL-PNM devices"},
        BadCase{"page_size_0", with(seventy, {"--page-size", "0"}), "--page-size: '0'"},
        BadCase{"page_size_odd", with(seventy, {"--page-size", "48"}), "not a power of two"},
        BadCase{"batch_0", with(seventy, {"--batch", "0"}), "--batch: '0' is out of range"},
        BadCase{"batch_negative", with(seventy, {"--batch", "-3"}), "--batch: '-3'"},
        BadCase{"budget_0", with(seventy, {"--budget", "0"}), "--budget: '0'"},
        BadCase{"dense_layers", with(seventy, {"--dense-layers", "81"}), "0 to 80"},
        BadCase{"kv_type", with(seventy, {"--kv-type", "fp16"}), "allowed: f16"},
        BadCase{"digest", with(seventy, {"--digest", "mean"}), "allowed: minmax"},
        BadCase{"set_unknown_key", with(seventy, {"--set", "pnm.digest_in_capacty=false"}),
                "did you mean"},
        BadCase{"set_unknown_role", with(seventy, {"--set", "pnn.clock=1 GHz"}), "did you mean"},
        BadCase{"set_without_value", with(seventy, {"--set", "pnm.clock"}), "key=value"},
        BadCase{"set_wrong_unit", with(seventy, {"--set", "pnm.clock=1 GB"}), "wrong unit"},
        BadCase{"set_negative", with(seventy, {"--set", "pnm.clock=-1 GHz"}), "is negative"},
        BadCase{"set_other_kind", with(seventy, {"--set", "pnm.use=cxl-memory"}),
                "is a cxl_memory"},
        BadCase{"missing_model_file", changed("--model", "nowhere/config.json"), "nowhere"},
        BadCase{"model_is_a_directory", changed("--model", "/tmp"), "directory"},
        BadCase{"system_is_a_directory", changed("--system", "/tmp"), "directory"},
        BadCase{"missing_system_file", changed("--system", "nowhere.yaml"), "no such file"},
        BadCase{"this_cpu", changed("--system", "this-cpu"), "memside calibrate"},
        BadCase{"unknown_option", with(seventy, {"--pagesize", "32"}), "'--page-size'"},
        BadCase{"missing_value", with(seventy, {"--seed"}), "--seed: needs a value"},
        BadCase{"given_twice", with(seventy, {"--policy", "dense"}), "more than once"},
        BadCase{"seed", with(seventy, {"--seed", "-1"}), "--seed: '-1'"},
        BadCase{"overlap", with(seventy, {"--overlap", "all"}), "allowed: none, half-batches"},
        BadCase{"choice_near", with(seventy, {"--overlap", "half-batch"}),
                "did you mean 'half-batches'?"},
        BadCase{"scores_file", with(seventy, {"--scores", "nowhere.scores"}), "nowhere.scores"},
        BadCase{"scores_parameter", with(seventy, {"--set", "scores.drfit=0.1"}), "did you mean"},
        BadCase{"scores_value", with(seventy, {"--set", "scores.drift=much"}), "is not a number"},
        BadCase{"scores_parameter_of_a_file",
                with(seventy, {"--scores", "x.scores", "--set", "scores.drift=0.1"}),
                "--set scores.drift: has no meaning for recorded scores"},
        BadCase{"scores_parameter_of_random_keys",
                with(seventy, {"--scores", "random-keys", "--set", "scores.drift=0.1"}),
                "--set scores.drift: has no meaning for random scores"},
        BadCase{"select_sample", with(seventy, {"--select-sample", "0"}), "--select-sample: '0'"},
        BadCase{"steps", with(seventy, {"--steps", "0"}), "--steps: '0' is out of range"},
        BadCase{"pins_beyond_budget", with(seventy, {"--budget", "64", "--sink-pages", "3"}),
                "--budget"},
        BadCase{"workload_and_context", with(seventy, {"--workload", "x.csv"}),
                "leave out --context"},
        BadCase{"requests_alone", with(seventy, {"--requests", "3"}),
                "--requests: is of a workload; give --workload as well"},
        BadCase{"partition", with(seventy, {"--partition", "tcp"}), "it is for pim"},
        BadCase{"positional", with(seventy, {"more"}), "unexpected argument 'more'"}),
    [](const auto& bad) { return bad.param.name; });

TEST(SimulateCommand, a_missing_option_is_named) {
    const Workplace place;
    const Outcome outcome = place.run({"simulate", "--model", "llama-3.1-8b"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line());
    EXPECT_THAT(outcome.err, HasSubstr("--system: is required"));
}

TEST(SimulateCommand, truncated_and_negative_configurations_are_refused_with_their_place) {
    const Workplace place;
    const std::string good =
        slurp(std::string(MEMSIDE_SOURCE_DIR) + "/models/llama-3.1-8b/config.json");
    ASSERT_FALSE(good.empty());
    place.write("truncated.json", good.substr(0, good.size() / 2));
    std::string negative = good;
    negative.replace(negative.find("4096"), 4, "-409");
    place.write("negative.json", negative);
    for (const char* file : {"truncated.json", "negative.json"}) {
        const Outcome outcome = place.run(changed("--model", file));
        EXPECT_EQ(outcome.exit_status, 2);
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(std::string(file) + ":"));
    }
}

TEST(SimulateCommand, a_bad_system_file_is_refused_with_its_line) {
    const Workplace place;
    place.write("x.yaml", "system: x\ncomponents:\n  gpu:\n    use: a100-80gb\n    cuont: 2\n");
    const Outcome outcome = place.run(changed("--system", "x.yaml"));
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("x.yaml:5"));
    EXPECT_THAT(outcome.err, HasSubstr("did you mean 'count'?"));
}

TEST(SimulateCommand, a_failing_write_exits_1_and_leaves_nothing_behind) {
    const Workplace place;
    Outcome outcome = place.run(with(seventy, {"--json", "/dev/full", "--csv", "a.csv"}));
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_TRUE(outcome.one_line()) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("/dev/full"));
    EXPECT_TRUE(place.entries().empty());

    outcome = place.run(with(seventy, {"--json", "-", "--csv", "a.csv"}), "> /dev/full");
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_TRUE(place.entries().empty());

    outcome = place.run(with(seventy, {"--csv", "a.csv", "--json", "missing/folder.json"}));
    EXPECT_EQ(outcome.exit_status, 1);
    EXPECT_TRUE(place.entries().empty());
}

TEST(SimulateCommand, an_option_that_the_policy_does_not_read_is_refused) {
    const Workplace place;
    const std::vector<std::string> dense{"simulate", "--model",   "llama-3.1-8b",
                                         "--system", "a100x1",    "--policy",
                                         "dense",    "--context", "1K"};
    const std::vector<std::pair<std::string, std::string>> selecting{
        {"--budget", "512"},       {"--page-size", "32"},    {"--digest", "minmax"},
        {"--digest-type", "f16"},  {"--sink-pages", "1"},    {"--recent-pages", "1"},
        {"--dense-layers", "1"},   {"--steps", "8"},         {"--warmup", "2"},
        {"--scores", "synthetic"}, {"--select-sample", "8"}, {"--placement", "lpt"}};
    for (const auto& [option, value] : selecting) {
        const Outcome outcome = place.run(with(dense, {option, value}));
        EXPECT_EQ(outcome.exit_status, 2) << option;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(option + ": has no meaning for --policy dense"));
        if (option == "--placement") continue;
        EXPECT_EQ(place.run(with(seventy, {option, value})).exit_status, 0) << option;
    }
    EXPECT_THAT(place.run(with(dense, {"--set", "scores.drift=0.1"})).err,
                HasSubstr("--set scores.drift: has no meaning for --policy dense"));
    const std::vector<std::string> all_read{"--kv-type", "int8", "--overlap", "half-batches",
                                            "--threads", "1",    "--seed",    "2"};
    EXPECT_EQ(place.run(with(dense, all_read)).exit_status, 0);

    const std::vector<std::string> recall{"simulate", "--model",    "llama-3.1-8b",
                                          "--system", "a100x1-cxl", "--policy",
                                          "recall",   "--context",  "32K"};
    EXPECT_THAT(place.run(with(recall, {"--placement", "lpt"})).err,
                HasSubstr("--placement: has no meaning for --policy recall; it is for pnm-kv, "
                          "png-kv"));
    EXPECT_EQ(place.run(with(recall, {"--budget", "8K"})).exit_status, 0);
}

TEST(SimulateCommand, help_says_which_policies_read_an_option) {
    const Workplace place;
    const std::string help = place.run({"simulate", "--help"}).out;
    const std::size_t selection = help.find("selection (--policy recall, pnm-kv, png-kv, pim):");
    const std::size_t placement = help.find("Placement (--policy pnm-kv, png-kv):");
    ASSERT_NE(selection, std::string::npos);
    ASSERT_NE(placement, std::string::npos);
    EXPECT_LT(selection, help.find("--budget"));
    EXPECT_LT(help.find("--select-sample"), placement);
    EXPECT_LT(placement, help.find("--placement NAME"));
    EXPECT_THAT(help, Not(HasSubstr("\n\n\n")));
}

TEST(SimulateCommand, help_shows_examples) {
    const Workplace place;
    for (const char* command : {"simulate", "list", "report"}) {
        const Outcome outcome = place.run({command, "--help"});
        EXPECT_EQ(outcome.exit_status, 0);
        EXPECT_THAT(outcome.out, HasSubstr("examples:"));
    }
}

}  // namespace
}  // namespace memside
