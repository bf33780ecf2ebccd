#include "study/experiment.h"

#include <sstream>

#include "study/csv_reader.h"
#include "study/experiment_output.h"
#include "study/stated.h"

namespace memside {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string text =
    "experiment: demo\n"
    "title: A demonstration\n"
    "figure: made up\n"
    "base: {model: llama-3.1-8b}\n"
    "list:\n"
    "  - {policy: dense, system: a100x1, context: [32K, 64K]}\n"
    "  - {policy: pnm-kv, system: a100x1-pnm1, context: [32K, 64K, 8M]}\n"
    "quick: [{policy: dense, context: 32K}, {policy: pnm-kv, context: 32K}]\n"
    "columns: {batch: batch, throughput_tok_per_s: tok/s}\n"
    "tolerance: {relative: 0.1 %, reason: a test}\n";
const std::string ratios =
    "ratios: [{name: r, of: throughput_tok_per_s, to: {policy: dense, context: 32K}}]\n"
    "means: [{name: m, of: r, kind: arithmetic, where: {policy: pnm-kv}}]\n";

Result<Experiment> parsed(const std::string& yaml) {
    const auto root = parse_config(yaml, "demo.yaml");
    EXPECT_TRUE(root.ok());
    return parse_experiment(*root, "demo");
}

TEST(Experiment, a_full_run_has_every_point_every_column_and_the_means) {
    const auto experiment = parsed(text + ratios);
    ASSERT_TRUE(experiment.ok()) << experiment.error().message();
    EXPECT_THAT(experiment->column_names(), ElementsAre("batch", "throughput_tok_per_s", "r"));
    const auto run = run_experiment(*experiment, false, {});
    ASSERT_TRUE(run.ok());
    const auto table = parse_csv(experiment_csv(*experiment, *run), "demo.csv");
    EXPECT_THAT(table->heads, ElementsAre("policy", "system", "context", "batch",
                                          "throughput_tok_per_s", "r", "reason"));
    ASSERT_EQ(table->rows.size(), 5);
    EXPECT_EQ(table->rows[0][5], "1");
    // 8M tokens are a terabyte of KV: a row with the reason.
    EXPECT_EQ(table->rows[4][3], "0");
    EXPECT_THAT(table->rows[4][6], HasSubstr("512 GiB"));
    const double mean = (*run->columns[2][2] + *run->columns[2][3]) / 2.0;
    EXPECT_EQ(run->means.at(0).count, 2);
    EXPECT_DOUBLE_EQ(*run->means.at(0).value, mean);
    EXPECT_THAT(means_csv(*experiment, *run), StartsWith("name,of,kind,points,value\n"
                                                         "m,r,arithmetic,2,"));
}

TEST(Experiment, a_quick_run_has_the_same_figures_for_fewer_points) {
    const auto experiment = parsed(text + ratios);
    const auto whole = run_experiment(*experiment, false, {});
    const auto quick = run_experiment(*experiment, true, {});
    EXPECT_THAT(quick->points, ElementsAre(0, 2));
    for (const std::size_t i : quick->points) {
        for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(quick->columns[c][i], whole->columns[c][i]);
    }
    EXPECT_EQ(quick->columns[2][1], std::nullopt);
    EXPECT_EQ(means_csv(*experiment, *quick), "");
}

TEST(Experiment, stated_figures_stand_beside_ours) {
    const auto experiment = parsed(text + ratios);
    const auto run = run_experiment(*experiment, false, {});
    const std::string head = "experiment,claim,column,pick,where,stated,unit,source\n";
    const auto rows_of = [&](const std::string& rows) {
        return stated_beside(*parse_csv(head + rows, "stated.csv"), *experiment, *run);
    };
    const auto rows = rows_of(
        "demo,most,r,largest,policy=pnm-kv,9,x,page 1\n"
        "other,none,r,largest,,9,x,page 1\n"
        "demo,least,throughput_tok_per_s,smallest,,9,tok/s,page 2\n"
        "demo,one,batch,only,policy=dense context=64K,9,requests,page 3\n"
        "demo,mean,m,mean,,9,x,page 4\n");
    ASSERT_TRUE(rows.ok()) << rows.error().message();
    ASSERT_EQ(rows->size(), 4);
    EXPECT_EQ((*rows)[0].ours, std::max(*run->columns[2][2], *run->columns[2][3]));
    EXPECT_EQ((*rows)[2].ours, run->columns[0][1]);
    EXPECT_EQ((*rows)[3].ours, run->means[0].value);
    for (const char* bad : {"demo,a,r,largest,,9,x,\n", "demo,a,q,largest,,9,x,p\n",
                            "demo,a,r,median,,9,x,p\n", "demo,a,r,only,,9,x,p\n",
                            "demo,a,r,largest,policy=x,9,x,p\n", "demo,a,r,largest,,much,x,p\n"}) {
        const auto refused = rows_of(bad);
        ASSERT_FALSE(refused.ok()) << bad;
        EXPECT_THAT(refused.error().message(), StartsWith("stated.csv:2: "));
    }
}

struct BadExperiment {
    const char* name;
    std::string text;
    const char* expected;
};

class BadExperiments : public testing::TestWithParam<BadExperiment> {};

TEST_P(BadExperiments, are_refused_with_their_line) {
    const auto experiment = parsed(GetParam().text);
    ASSERT_FALSE(experiment.ok());
    EXPECT_EQ(experiment.error().exit_status(), 2);
    EXPECT_THAT(experiment.error().message(), StartsWith(GetParam().expected));
}

std::string without(const std::string& key) {
    std::string out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(key)) out += line + '\n';
    }
    return out;
}

INSTANTIATE_TEST_SUITE_P(
    Experiment, BadExperiments,
    testing::Values(
        BadExperiment{"key", text + "chart: []\n", "demo.yaml:11: unknown key 'chart'"},
        BadExperiment{"name", "experiment: other\n" + without("experiment"),
                      "demo.yaml:1: the experiment is called 'other'"},
        BadExperiment{"tolerance", without("tolerance"), "demo.yaml:1: 'tolerance' must give"},
        BadExperiment{"columns", without("columns"), "demo.yaml:1: 'columns' must map"},
        BadExperiment{"column", without("columns") + "columns: {speed: x}\n",
                      "demo.yaml:10: 'speed' is no figure"},
        BadExperiment{"twice", text + "ratios: [{name: batch, of: batch, by: tpot_s}]\n",
                      "demo.yaml:9: two columns are called 'batch'"},
        BadExperiment{"mean", text + "means: [{name: m, of: x, kind: arithmetic}]\n",
                      "demo.yaml:11: there is no column 'x'"},
        BadExperiment{"chart", text + "charts: [{title: t, unit: x, columns: [nothing]}]\n",
                      "demo.yaml:11: unknown value 'nothing'"},
        BadExperiment{"quick", without("quick") + "quick: [{policy: recall}]\n",
                      "demo.yaml:10: selects no point"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Experiment, names_are_in_the_order_of_their_numbers) {
    const auto names = experiment_names(std::string(MEMSIDE_SOURCE_DIR) + "/experiments");
    const std::vector<std::string> figures{"pnm-fig3a",  "pnm-fig3b",  "pnm-fig8",   "pnm-fig10a",
                                           "pnm-fig10b", "pnm-fig11a", "pnm-fig11b", "pnm-fig12",
                                           "pnm-fig13a", "pnm-fig13b", "pnm-fig14"};
    EXPECT_THAT(names, testing::IsSupersetOf(figures));
    std::vector<std::string> ordered;
    for (const std::string& name : names) {
        if (std::find(figures.begin(), figures.end(), name) != figures.end()) {
            ordered.push_back(name);
        }
    }
    EXPECT_EQ(ordered, figures);
    EXPECT_TRUE(experiment_names("/nowhere").empty());
}

}  // namespace
}  // namespace memside
