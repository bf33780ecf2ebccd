// `memside simulate --policy pim` as its users run it.
#include <nlohmann/json.hpp>

#include "cli/process.h"

namespace memside {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::vector<std::string> cent(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "simulate", "--model",   "llama-3.1-8b", "--system", "cent-x8", "--policy",
        "pim",      "--context", "8K",           "--json",   "-",       "--pim-cache"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

TEST(SimulatePim, the_best_pair_is_found_and_reported) {
    const Workplace place;
    const json best = json::parse(place.run(cent({"off", "--parallel", "best"})).out);
    EXPECT_EQ(best["tp"].get<int>() * best["pp"].get<int>(), 8);
    double most = 0;
    for (const auto& [tp, pp] : {std::pair("1", "8"), {"2", "4"}, {"4", "2"}, {"8", "1"}}) {
        const json pair = json::parse(place.run(cent({"off", "--tp", tp, "--pp", pp})).out);
        most = std::max(most, pair["throughput_tok_per_s"].get<double>());
    }
    EXPECT_EQ(best["throughput_tok_per_s"].get<double>(), most);
}

TEST(SimulatePim, what_is_remembered_gives_the_same_bytes) {
    const Workplace place;
    const std::string folder = place.file("kernels");
    const Outcome without = place.run(cent({"off"}));
    EXPECT_EQ(without.exit_status, 0);
    EXPECT_TRUE(place.entries().empty());
    EXPECT_EQ(place.run(cent({folder})).out, without.out);
    EXPECT_EQ(place.entries(), std::vector<std::string>{"kernels"});
    EXPECT_EQ(place.run(cent({folder})).out, without.out);
}

TEST(SimulatePim, a_folder_that_cannot_be_written_changes_nothing) {
    const Workplace place;
    const Outcome outcome = place.run(cent({"/dev/null/kernels"}));
    EXPECT_EQ(outcome.exit_status, 0);
    EXPECT_EQ(outcome.out, place.run(cent({"off"})).out);
}

TEST(SimulatePim, requests_of_unequal_lengths_decode_together) {
    const Workplace place;
    const std::string file = place.write("w.csv", "context_tokens\n4000\n30000\n12000\n");
    const Outcome outcome =
        place.run({"simulate", "--model", "qwen1.5-7b", "--system", "cent-x8", "--policy", "pim",
                   "--workload", file, "--pim-cache", "off", "--json", "-"});
    const json result = json::parse(outcome.out);
    EXPECT_EQ(result["batch"], 3);
    EXPECT_EQ(result["context_tokens"], 15333);
}

TEST(SimulatePim, a_named_workload_is_served_to_its_end) {
    const Workplace place;
    const std::vector<std::string> arguments{
        "simulate", "--model",        "qwen1.5-7b", "--system",    "cent-x8", "--policy",
        "pim",      "--workload",     "qmsum",      "--requests",  "30",      "--output-tokens",
        "20",       "--arrival-rate", "40",         "--pim-cache", "off",     "--json",
        "r.json",   "--report",       "r.html"};
    const Outcome outcome = place.run(arguments);
    ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("30 requests, 600 output tokens"));
    EXPECT_THAT(outcome.out, HasSubstr("live KV"));
    const json result = json::parse(slurp(place.file("r.json")));
    EXPECT_EQ(result["requests"], 30);
    EXPECT_EQ(result["output_tokens_total"], 600);
    EXPECT_NEAR(result["throughput_tok_per_s"].get<double>(),
                600 / result["simulated_s"].get<double>(), 1e-6);
    EXPECT_TRUE(result["ttft_s"].is_null());
    EXPECT_FALSE(result["serving"].empty());
    EXPECT_THAT(slurp(place.file("r.html")), HasSubstr("Requests over time"));
    // What was written reads back to the same report.
    EXPECT_EQ(place.run({"report", "r.json", "--html", "again.html"}).exit_status, 0);
    EXPECT_THAT(slurp(place.file("again.html")), HasSubstr("Memory over time"));
}

TEST(SimulatePim, a_pair_that_does_not_make_the_modules_is_refused) {
    const Workplace place;
    const Outcome outcome = place.run(cent({"off", "--tp", "2", "--pp", "2"}));
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_TRUE(outcome.one_line());
    EXPECT_THAT(outcome.err, HasSubstr("is not the 8 modules"));
}

}  // namespace
}  // namespace memside
