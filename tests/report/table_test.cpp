#include "report/table.h"

#include <sstream>

#include "report/random_results.h"
#include "report/sample_results.h"
#include "report/text_table.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::Not;

int widest_line(const std::string& text) {
    int widest = 0;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        widest = std::max(widest, display_width(line));
    }
    return widest;
}

TEST(Summary, says_what_ran_how_fast_and_what_it_rests_on) {
    const std::string text = summary(samples::near_memory(), false);
    EXPECT_THAT(text, HasSubstr("llama-3.1-70b on a100x2-pnm8, pnm-kv"));
    EXPECT_THAT(text, HasSubstr("modelled, not measured"));
    EXPECT_THAT(text, HasSubstr("batch 96"));
    EXPECT_THAT(text,
                HasSubstr("480 tokens/s   200 ms per token   first after 86.2 s   3.1 J/token"));
    EXPECT_THAT(text, HasSubstr("attention     129 ms  64.5 %  ███"));
    EXPECT_THAT(text, HasSubstr("Time to the first token  86.2 s, one request alone\n"));
    EXPECT_THAT(text, HasSubstr("moving its KV takes 0.895 s, mostly while it computes   "
                                "prefill 61,000 J"));
    EXPECT_THAT(text, HasSubstr("12 requests on it   KV per request 40 GiB + digests 1.25 GiB"));
    EXPECT_THAT(text, HasSubstr("1,024 selected   0 recalled\n"
                                "  per step, whole batch: KV read 128 MiB   digests read 16 MiB"));
    EXPECT_THAT(text, HasSubstr("Memory of one pnm  512 GiB; 8 alike\n"));
    EXPECT_THAT(text, HasSubstr("4.01 USD per hour, electricity included"));
    EXPECT_THAT(text, HasSubstr("cxl.latency            600 ns   assumed: a switch hop"));
    EXPECT_THAT(text, HasSubstr("8 constants read, 2 of them assumed"));
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(summary(samples::near_memory(), true), HasSubstr("\x1b[1m"));
}

TEST(Summary, when_nothing_fits_gives_the_reason_and_the_memory) {
    const std::string text = summary(samples::nothing_fits(), false);
    EXPECT_THAT(text, HasSubstr("batch 0"));
    EXPECT_THAT(text, HasSubstr("Nothing fits: one request of 128K tokens needs 20 GiB of KV"));
    EXPECT_THAT(text, HasSubstr("KV of one request     20 GiB"));
    EXPECT_THAT(text, HasSubstr("left for it         5.82 GiB"));
    EXPECT_THAT(text, HasSubstr("Memory of one gpu  71.53 GiB after the reserve; 2 alike\n"));
    EXPECT_THAT(text, Not(HasSubstr("Time of one step")));
}

TEST(Summary, weights_that_are_too_large_leave_no_row_of_a_request) {
    SimulationResult result = samples::nothing_fits();
    result.capacity =
        SimulationResult::Capacity{"gpu", 1, 71.53 * samples::gib, 756 * samples::gib, 0, 0, 0};
    const std::string text = summary(result, false);
    EXPECT_THAT(text, HasSubstr("Memory of one gpu  71.53 GiB after the reserve\n"
                                "  weights      756 GiB  >100 %  ████"));
    EXPECT_THAT(text, HasSubstr("\n  left for KV      0 B   0.0 %\n"));
    EXPECT_THAT(text, Not(HasSubstr("of one request")));
}

TEST(Summary, one_request_is_no_plural) {
    SimulationResult result = samples::near_memory();
    result.capacity->requests_per_device = 1;
    EXPECT_THAT(summary(result, false), HasSubstr("\n  1 request on it   "));
}

TEST(Comparison, rows_that_would_read_alike_say_what_differs) {
    std::vector<SimulationResult> results(2, samples::near_memory());
    results[1].budget_tokens = 8192;
    const std::string text = comparison(results, false);
    EXPECT_THAT(text, HasSubstr("a100x2-pnm8  pnm-kv, budget 32K     96"));
    EXPECT_THAT(text, HasSubstr("a100x2-pnm8  pnm-kv, budget 8K      96"));
}

TEST(Comparison, has_a_row_per_result_and_the_reason_where_nothing_fits) {
    EXPECT_EQ(
        comparison(samples::demo(), false),
        "llama-3.1-70b, 128K tokens of context, 3 results; modelled, not measured\n"
        "  system       policy  batch  tok/s  ms/token  J/token  tok/USD  held back by\n"
        "  a100x2       dense   nothing fits: one request of 128K tokens needs 20 GiB of KV "
        "on each of 2\n"
        "                       GPUs, and 5.82 GiB are left of 71.53 GiB after 65.71 GiB of "
        "weights\n"
        "  a100x4       dense       3   66.7        45     19.2   72,029  fc, 48.9 %\n"
        "  a100x2-pnm8  pnm-kv     96    480       200      3.1  430,923  attention, 64.5 %\n");
}

TEST(Comparison, models_head_their_rows_and_contexts_have_a_column_when_they_differ) {
    auto results = samples::demo();
    results[2].model = "llama-3.1-405b";
    results[2].context_tokens = 1048576;
    const std::string text = comparison(results, false);
    EXPECT_THAT(text, testing::StartsWith("3 results; modelled, not measured\n"));
    EXPECT_THAT(text, HasSubstr("\n  llama-3.1-70b\n     128K  a100x2       dense "));
    EXPECT_THAT(text, HasSubstr("\n  llama-3.1-405b\n       1M  a100x2-pnm8  pnm-kv "));
    EXPECT_LE(widest_line(text), terminal_columns);
}

TEST(Comparison, no_result_is_said) {
    EXPECT_EQ(comparison({}, false), "no results\n");
}

RC_GTEST_PROP(Tables, results_with_odd_names_stay_on_printable_lines, ()) {
    std::vector<SimulationResult> results{samples::random_result(), samples::random_result()};
    for (const std::string& text : {comparison(results, false), summary(results[0], false)}) {
        for (const char c : text) {
            RC_ASSERT(c == '\n' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
        }
    }
}

TEST(Tables, long_names_wrap_within_the_width) {
    auto results = samples::demo();
    for (SimulationResult& result : results) {
        result.model = std::string(150, 'm');
        result.system = std::string(70, 's') + " " + std::string(70, 't');
        result.policy += std::string(90, 'p');
        for (PhaseTime& phase : result.phases) phase.name += std::string(120, 'n');
        for (Assumption& a : result.assumptions) a.key += std::string(120, 'k');
        if (result.capacity) result.capacity->device += std::string(120, 'd');
        EXPECT_LE(widest_line(summary(result, false)), terminal_columns);
    }
    results[0].context_tokens = 5;
    EXPECT_LE(widest_line(comparison(results, false)), terminal_columns);
    results[0].model = "other";
    EXPECT_LE(widest_line(comparison(results, false)), terminal_columns);
}

}  // namespace
}  // namespace memside
