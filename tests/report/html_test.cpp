#include "report/html.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "report/html_parts.h"
#include "report/random_results.h"
#include "report/sample_results.h"

namespace memside {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

std::string page_of(const std::vector<SimulationResult>& results, const HtmlOptions& options = {}) {
    auto page = html_report(results, options);
    EXPECT_TRUE(page.ok());
    return page.ok() ? *page : "";
}

// The page without Chart.js, whose licence comment has addresses.
std::string own_part(std::string page) {
    const std::string library(embedded::chart_js());
    const std::size_t at = page.find(library);
    EXPECT_NE(at, std::string::npos);
    return page.erase(at, library.size());
}

json data_of(const std::string& page) {
    const std::string open = "<script type=\"application/json\" id=\"data\">";
    const std::size_t from = page.find(open) + open.size();
    return json::parse(page.substr(from, page.find("</script>", from) - from));
}

// Reads tags one by one; "" when every element is closed in order, else what is wrong. The content
// of script and style is skipped as a browser does: up to the first closing tag.
std::string imbalance(const std::string& page) {
    static const std::set<std::string> empty_elements{"meta", "br"};
    std::vector<std::string> open;
    for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at)) {
        // Attribute values are quoted and may contain '>'.
        std::size_t end = at;
        char quote = 0;
        for (; end < page.size() && (quote != 0 || page[end] != '>'); ++end) {
            if (quote == 0 && (page[end] == '"' || page[end] == '\'')) {
                quote = page[end];
            } else if (page[end] == quote) {
                quote = 0;
            }
        }
        const std::string tag = page.substr(at + 1, end - at - 1);
        at = end;
        if (tag.starts_with("!")) continue;
        const bool closes = tag.starts_with("/");
        const std::string name =
            tag.substr(closes ? 1 : 0, tag.find_first_of(" \n", 1) - (closes ? 1 : 0));
        if (closes) {
            if (open.empty() || open.back() != name) return "unexpected </" + name + ">";
            open.pop_back();
        } else if (!empty_elements.contains(name)) {
            open.push_back(name);
            if (name == "script" || name == "style") at = page.find("</" + name, at);
        }
    }
    return open.empty() ? "" : "unclosed <" + open.back() + ">";
}

TEST(Html, the_checker_sees_what_is_unbalanced) {
    EXPECT_EQ(imbalance("<a><b x=\"1 > 0\"></b></a>"), "");
    EXPECT_NE(imbalance("<a><b></a></b>"), "");
    EXPECT_NE(imbalance("<a>"), "");
    EXPECT_EQ(imbalance("<script>if (a < b) x = '</b>'</script>"), "");
}

TEST(Html, the_page_fetches_nothing) {
    const std::string page = own_part(page_of(samples::demo()));
    for (const char* reference :
         {"http:", "https:", " src=", " href=", "@import", "url(", "fetch("}) {
        EXPECT_THAT(page, Not(HasSubstr(reference)));
    }
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Html, the_page_is_balanced_and_its_data_parse) {
    for (const auto& results :
         {samples::demo(), {samples::near_memory()}, {samples::nothing_fits()}}) {
        const std::string page = own_part(page_of(results, {"", "memside simulate"}));
        EXPECT_EQ(imbalance(page), "");
        EXPECT_EQ(data_of(page)["labels"].size(), results.size());
    }
}

RC_GTEST_PROP(Html, any_result_gives_a_balanced_page_with_data, ()) {
    std::vector<SimulationResult> results;
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) results.push_back(samples::random_result());
    const auto page = html_report(results, {samples::odd_text(), samples::odd_text()});
    RC_ASSERT(page.ok());
    RC_ASSERT(imbalance(own_part(*page)) == "");
    RC_ASSERT(data_of(*page)["labels"].size() == results.size());
}

TEST(Html, names_are_text_wherever_they_stand) {
    SimulationResult evil = samples::near_memory();
    const std::string name = "<script>alert(\"1\")</script>'&amp;<!--";
    evil.model = evil.system = evil.policy = name;
    evil.phases[0].name = evil.energy[0].name = name;
    evil.assumptions[0] = {name, name, name};
    evil.constants[0].path = evil.constants[0].text = evil.constants[0].source = name;
    evil.capacity->device = name;
    SimulationResult misfit = samples::nothing_fits();
    misfit.system = misfit.reason = misfit.capacity->device = name;
    const std::string page = own_part(page_of({evil, misfit}, {name, name}));
    EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(page, Not(HasSubstr("<!--")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;amp;"));
    EXPECT_EQ(imbalance(page), "");
    EXPECT_EQ(data_of(page)["labels"][0][0], name);
}

TEST(Html, what_does_not_fit_has_its_numbers_in_the_table_and_in_every_chart) {
    const std::string page = page_of(samples::demo());
    EXPECT_THAT(page, HasSubstr("<b>Nothing fits:</b> one request of 128K tokens needs 20 GiB"));
    const json data = data_of(page);
    ASSERT_EQ(data["charts"].size(), 6u);
    for (const json& chart : data["charts"]) {
        const bool memory = chart["id"] == "memory";
        EXPECT_EQ(memory ? chart["ends"][0] : chart["notes"][0],
                  memory ? "needs 85.71 GiB of 71.53 GiB"
                         : "nothing fits: a request takes 20 GiB of each gpu, 5.82 GiB left");
        EXPECT_EQ(chart["notes"][2], "");
    }
}

json chart_of(const std::string& page, const std::string& id) {
    const json data = data_of(page);
    for (const json& chart : data["charts"]) {
        if (chart["id"] == id) return chart;
    }
    return {};
}

SimulationResult weights_too_large() {
    SimulationResult result = samples::near_memory();
    result.batch = 0;
    result.capacity =
        SimulationResult::Capacity{"gpu", 1, 71.53 * samples::gib, 756 * samples::gib, 0, 0, 0};
    return result;
}

TEST(Html, weights_that_do_not_fit_are_said_and_no_bar_leaves_its_chart) {
    const std::string page = page_of({weights_too_large(), samples::near_memory()});
    EXPECT_EQ(chart_of(page, "batch")["notes"][0],
              "nothing fits: the weights take 756 GiB of each gpu, which has 71.53 GiB");
    const json memory = chart_of(page, "memory");
    EXPECT_EQ(memory["ends"][0], "needs 756 GiB of 71.53 GiB");
    double sum = 0;
    for (const json& series : memory["series"]) sum += series["values"][0].get<double>();
    EXPECT_EQ(sum, 180);
}

TEST(Html, a_batch_that_does_not_fit_is_no_request_that_does_not_fit) {
    SimulationResult result = samples::near_memory();
    result.batch = 0;
    result.capacity->requests_per_device = 0;
    const std::string page = page_of({result, samples::near_memory()});
    EXPECT_EQ(chart_of(page, "batch")["notes"][0],
              "the batch does not fit: a request takes 41.25 GiB of a pnm, which has 512 GiB for "
              "all");
    const json memory = chart_of(page, "memory");
    EXPECT_EQ(memory["ends"][0], "1 request, 512 GiB");
    double sum = 0;
    for (const json& series : memory["series"]) {
        EXPECT_NE(series["name"], "one request that does not fit");
        sum += series["values"][0].get<double>();
    }
    EXPECT_NEAR(sum, 100, 1e-9);
}

TEST(Html, where_nothing_fits_cards_say_what_is_needed_and_what_there_is) {
    EXPECT_THAT(page_of({samples::nothing_fits()}),
                HasSubstr("<h2>One request</h2><p class=\"value\">20<span class=\"unit\">GiB</span>"
                          "</p><p class=\"detail\">on each gpu</p></div>\n"
                          "<div class=\"card\"><h2>Room for requests</h2><p class=\"value\">5.82"
                          "<span class=\"unit\">GiB</span></p><p class=\"detail\">of 71.53 GiB, "
                          "beside the weights"));
    EXPECT_THAT(page_of({weights_too_large()}),
                HasSubstr("<h2>Weights</h2><p class=\"value\">756<span class=\"unit\">GiB"));
}

TEST(Html, a_value_stays_with_its_unit_and_a_path_may_break) {
    SimulationResult result = samples::near_memory();
    result.assumptions = {{"link.energy", "6.5 pJ/bit", "assumed: x"},
                          {"scores", "a/long/path/to/some.scores", "recorded"}};
    const std::string page = page_of({result});
    EXPECT_THAT(page, HasSubstr("<td class=\"short\">6.5 pJ/bit</td>"));
    EXPECT_THAT(page, HasSubstr("<td>a/long/path/to/some.scores</td>"));
}

TEST(Html, the_bars_of_a_step_sum_to_its_time_and_those_of_a_device_to_all_it_holds) {
    const json data = data_of(page_of(samples::demo()));
    for (const json& chart : data["charts"]) {
        for (const std::size_t bar : {1u, 2u}) {
            double sum = 0;
            for (const json& series : chart["series"]) sum += series["values"][bar].get<double>();
            const SimulationResult result = samples::demo()[bar];
            const std::map<std::string, double> wholes{{"phases", *result.tpot_s * 1e3},
                                                       {"energy", *result.energy_j_per_token},
                                                       {"memory", 100}};
            const auto whole = wholes.find(chart["id"].get<std::string>());
            if (whole == wholes.end()) continue;
            EXPECT_NEAR(sum, whole->second, 1e-9) << whole->first;
        }
    }
}

TEST(Html, charts_have_their_figures_in_words) {
    const std::string page = page_of(samples::demo());
    EXPECT_THAT(page, HasSubstr("a100x2, dense: nothing fits: a request takes 20 GiB"));
    EXPECT_THAT(page, HasSubstr("a100x4, dense: 45 ms (attention 18.2 ms, fc 22 ms, "
                                "all-reduce 3.1 ms, other 1.7 ms)."));
}

TEST(Html, a_result_that_lacks_the_figures_of_a_chart_says_so_in_it) {
    auto results = samples::demo();
    results[2].phases.clear();
    results[2].capacity.reset();
    const json data = data_of(page_of(results));
    ASSERT_EQ(data["charts"].size(), 6u);
    for (const json& chart : data["charts"]) {
        const bool lacks = chart["id"] == "phases" || chart["id"] == "memory";
        EXPECT_EQ(chart["notes"][2], lacks ? "not modelled" : "") << chart["id"];
    }
}

TEST(Html, more_parts_than_colours_become_other) {
    SimulationResult result = samples::near_memory();
    result.phases.clear();
    for (int i = 0; i < 20; ++i) result.phases.push_back({fmt::format("p{}", i), 0.001 * (i + 1)});
    const json chart = data_of(page_of({result}))["charts"][0];
    ASSERT_EQ(chart["id"], "phases");
    ASSERT_EQ(chart["series"].size(), 8u);
    EXPECT_EQ(chart["series"][0]["name"], "p19");
    EXPECT_EQ(chart["series"][7]["name"], "other");
    EXPECT_NEAR(chart["series"][7]["values"][0].get<double>(), 13 * 14 / 2, 1e-9);
}

TEST(Html, of_many_results_the_fastest_are_drawn_and_all_are_listed) {
    std::vector<SimulationResult> results;
    for (int i = 0; i < 100; ++i) {
        results.push_back(samples::near_memory());
        results.back().system = fmt::format("system-{}", i);
        results.back().throughput_tok_per_s = i;
    }
    const std::string page = page_of(results);
    EXPECT_THAT(page, HasSubstr("Drawn: the 24 fastest of 100 results."));
    EXPECT_THAT(page, HasSubstr("system-0<"));
    const json data = data_of(page);
    ASSERT_EQ(data["labels"].size(), 24u);
    EXPECT_EQ(data["labels"][0][0], "system-76");
}

TEST(Html, the_headline_compares_with_the_first_other_that_fits) {
    const std::string page = page_of(samples::demo());
    EXPECT_THAT(page, HasSubstr("2 of 3<"));
    EXPECT_THAT(page, HasSubstr("7.2<span class=\"unit\">×</span></p>"
                                "<p class=\"detail\">the throughput of a100x4, dense</p>"));
}

TEST(Html, how_to_reproduce_is_the_escaped_command_with_version_and_seed) {
    const std::string page = page_of(samples::demo(), {"T & U", "memside simulate --x '<y>'"});
    EXPECT_THAT(page, HasSubstr("<h1>T &amp; U</h1>"));
    EXPECT_THAT(page, HasSubstr("<code>memside simulate --x &#39;&lt;y&gt;&#39;</code>"));
    EXPECT_THAT(page, HasSubstr("memside " MEMSIDE_VERSION ", seed 1."));
}

TEST(Html, no_result_is_bad_input) {
    const auto page = html_report({});
    ASSERT_FALSE(page.ok());
    EXPECT_EQ(page.error().message(), "report: there is no result to report");
}

// Left in the build folder, to be looked at in a browser.
TEST(Html, the_same_results_give_the_same_bytes) {
    const HtmlOptions options{"", "memside simulate --model llama-3.1-70b --report report.html"};
    const std::string page = page_of(samples::demo(), options);
    EXPECT_EQ(page, page_of(samples::demo(), options));
    std::filesystem::create_directories(MEMSIDE_REPORT_SAMPLES);
    std::ofstream(MEMSIDE_REPORT_SAMPLES "/report.html") << page;
    EXPECT_TRUE(std::filesystem::file_size(MEMSIDE_REPORT_SAMPLES "/report.html") > 100000);
}

}  // namespace
}  // namespace memside
