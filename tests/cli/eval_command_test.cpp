// memside eval needle and divergence on a small model with random weights.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using testing::HasSubstr;

const std::string answers_of_policies =
    "policy,budget_tokens,digest,select_per,group_score,page_size_tokens,context_tokens,";

class EvalCommandTest : public testing::Test {
  protected:
    void SetUp() override {
        const std::string shape = MEMSIDE_SOURCE_DIR "/tests/engine/shapes/llama.json";
        ASSERT_EQ(place_.run({"make-model", "--shape", shape, "-o", "m.gguf"}).exit_status, 0);
        std::string text;
        for (int i = 0; i < 3000; ++i)
            text += fmt::format("{} and{}", i * 37 % 1009, i % 7 ? " " : ".\n");
        place_.write("text.txt", text);
    }

    // Every option that both commands take, small.
    Outcome run(const std::string& evaluation, std::vector<std::string> more) const {
        std::vector<std::string> arguments{
            "eval",      evaluation,          "--model",        "m.gguf", "--text",      "text.txt",
            "--budgets", "128,256",           "--contexts",     "1K,2K",  "--page-size", "16",
            "--digest",  "minmax,centre-std", "--dense-layers", "0"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return place_.run(arguments);
    }

    Workplace place_;
};

const std::vector<std::string> small_needle{"--depths", "0.3,0.7",        "--trials",   "2",
                                            "--needle", "{key} {value}.", "--question", "{key}"};
const std::vector<std::string> small_divergence{"--tokens", "12", "--passages", "2"};

std::vector<std::string> with(std::vector<std::string> some, std::vector<std::string> more) {
    some.insert(some.end(), more.begin(), more.end());
    return some;
}

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST_F(EvalCommandTest, needle_writes_cells_and_totals) {
    const Outcome outcome =
        run("needle", with(small_needle, {"--json", "n.json", "--csv", "n.csv"}));
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("cells count"));
    const auto json = nlohmann::json::parse(slurp(place_.file("n.json")));
    EXPECT_EQ(json.at("evaluation"), "needle");
    EXPECT_EQ(json.at("trials"), 2);
    // Dense, and two digests at two budgets; both contexts are more than twice both budgets.
    ASSERT_EQ(json.at("totals").size(), 5U);
    ASSERT_EQ(json.at("cells").size(), 5U * 4);
    for (const auto& total : json.at("totals")) {
        for (const char* key :
             {"policy", "budget_tokens", "digest", "select_per", "group_score", "cells_counted",
              "trials", "dense_found", "found", "lost", "gained", "lost_per_100",
              "kv_bytes_read_per_step", "digest_bytes_read_per_step"}) {
            EXPECT_TRUE(total.contains(key)) << key;
        }
    }
    for (const auto& cell : json.at("cells")) {
        EXPECT_EQ(cell.at("trials"), 2);
        EXPECT_EQ(cell.at("found").get<int>() + cell.at("lost").get<int>(),
                  cell.at("dense_found").get<int>() + cell.at("gained").get<int>());
        EXPECT_EQ(cell.at("digest_bytes_read_per_step") == 0, cell.at("policy") == "dense");
    }
    const std::string csv = slurp(place_.file("n.csv"));
    EXPECT_THAT(csv, testing::StartsWith(answers_of_policies +
                                         "depth,counts,trials,dense_found,found,lost,gained,"
                                         "kv_bytes_read_per_step,digest_bytes_read_per_step,seed"));
    EXPECT_EQ(lines_of(csv), 1 + json.at("cells").size());
}

TEST_F(EvalCommandTest, divergence_writes_a_row_for_each_policy_and_context) {
    const Outcome outcome =
        run("divergence", with(small_divergence, {"--json", "d.json", "--csv", "d.csv"}));
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    const auto json = nlohmann::json::parse(slurp(place_.file("d.json")));
    ASSERT_EQ(json.at("totals").size(), 5U * 2);
    for (const auto& total : json.at("totals")) {
        EXPECT_EQ(total.at("steps"), 24);
        for (const char* key :
             {"kl_mean_nats", "kl_p50_nats", "kl_p95_nats", "kl_p99_nats", "kl_max_nats",
              "top1_agreement", "surprise_nats", "dense_surprise_nats", "mass_selected",
              "mass_best", "kv_bytes_read_per_step", "digest_bytes_read_per_step"}) {
            EXPECT_TRUE(total.at(key).is_number()) << key;
        }
        const bool dense = total.at("policy") == "dense";
        EXPECT_EQ(total.at("kl_max_nats") == 0, dense);
        EXPECT_EQ(total.at("budget_tokens").is_null(), dense);
    }
    const std::string csv = slurp(place_.file("d.csv"));
    EXPECT_THAT(csv, testing::StartsWith(answers_of_policies + "steps,kl_mean_nats,"));
    EXPECT_EQ(lines_of(csv), 11U);
}

TEST_F(EvalCommandTest, output_is_the_same_bytes_for_any_number_of_threads) {
    const auto both = [&](const std::string& threads) {
        const Outcome needle =
            run("needle", with(small_needle, {"--threads", threads, "--json", "-"}));
        const Outcome divergence =
            run("divergence", with(small_divergence, {"--threads", threads, "--json", "-"}));
        EXPECT_EQ(needle.exit_status + divergence.exit_status, 0) << needle.err << divergence.err;
        return needle.out + divergence.out;
    };
    const std::string one = both("1");
    EXPECT_EQ(both("2"), one);
    EXPECT_EQ(both("5"), one);
}

TEST_F(EvalCommandTest, trials_run_one_by_one_are_those_of_one_run) {
    const auto second_trial = [&](const std::vector<std::string>& more) {
        const Outcome outcome = run("needle", with(small_needle, with(more, {"--json", "-"})));
        EXPECT_EQ(outcome.exit_status, 0) << outcome.err;
        auto answers = nlohmann::json::array();
        const auto json = nlohmann::json::parse(outcome.out);
        for (const auto& answer : json.at("wrong_answers")) {
            if (answer.at("trial") == 1) answers.push_back(answer);
        }
        return answers;
    };
    // A model with random weights finds nothing.
    const auto both = second_trial({});
    EXPECT_EQ(both.size(), 20U);
    std::vector<std::string> alone = small_needle;
    alone.erase(alone.begin() + 2, alone.begin() + 4);
    const Outcome outcome =
        run("needle", with(alone, {"--trials", "1", "--first-trial", "1", "--json", "-"}));
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_EQ(nlohmann::json::parse(outcome.out).at("wrong_answers"), both);
}

TEST_F(EvalCommandTest, what_is_wrong_takes_one_line_and_status_2) {
    const auto refused = [&](const std::string& evaluation, std::vector<std::string> more,
                             const std::string& message) {
        const Outcome outcome = place_.run(with({"eval", evaluation}, std::move(more)));
        EXPECT_EQ(outcome.exit_status, 2) << message;
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr(message));
    };
    for (const std::string evaluation : {"needle", "divergence"}) {
        const std::vector<std::string> files{"--model", "m.gguf", "--text", "text.txt"};
        refused(evaluation, {}, "--model");
        refused(evaluation, {"--model", "m.gguf"}, "--text: is required: a file of real text");
        refused(evaluation, with(files, {"--contexts", "2K,1K"}), "does not ascend");
        refused(evaluation, with(files, {"--contexts", "2K,,4K"}), "has an empty item");
        refused(evaluation, with(files, {"--budgets", "32"}), "--budget: 32 tokens are 2 pages");
        refused(evaluation, with(files, {"--digest", "median"}), "--digest");
        refused(evaluation, with(files, {"--digest", "minmax,minmax"}), "is given twice");
        refused(evaluation, with(files, {"--digest-coef", "2"}), "--digest-coef");
        refused(evaluation, with(files, {"--page-size", "48"}), "is not a power of two");
        refused(evaluation, with(files, {"--contexts", "256K", "--budgets", "512"}), "--text: has");
        refused(evaluation, with(files, {"--json", "m.gguf"}), "--json");
    }
    refused("needle", {"--model", "m.gguf", "--text", "text.txt", "--depths", "half"}, "--depths");
    refused("needle",
            {"--model", "m.gguf", "--text", "text.txt", "--contexts", "2K", "--needle", "x"},
            "--needle: must have {key}");
    refused("hay", {}, "unknown subcommand 'hay'");
}

}  // namespace
}  // namespace memside
