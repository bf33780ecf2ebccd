#include "study/explain.h"

#include <sstream>

#include "report/text_table.h"
#include "study/points.h"
#include "study/runner.h"

namespace memside {
namespace {

using testing::HasSubstr;

SimulationResult saved(const std::string& settings) {
    const PointSet set = points_of("base: {" + settings + "}\n");
    return *simulate(*read_request(set.points.at(0).settings));
}

const std::string seventy =
    "model: llama-3.1-70b, system: a100x2-pnm8, policy: pnm-kv, context: 128K";

const PhaseBound& phase(const Explanation& explanation, const std::string& name) {
    for (const PhaseBound& each : explanation.phases) {
        if (each.name == name) return each;
    }
    ADD_FAILURE() << "no phase " << name;
    return explanation.phases.front();
}

const Improvement& improvement(const Explanation& explanation, const std::string& name) {
    for (const Improvement& each : explanation.improvements) {
        if (each.name == name) return each;
    }
    ADD_FAILURE() << "no improvement " << name;
    return explanation.improvements.front();
}

TEST(Explain, a_step_is_made_again_from_its_settings) {
    const SimulationResult result = saved(seventy + ", seed: 3, batch: 40");
    const auto explanation = explain(result, "r.json", 0);
    ASSERT_TRUE(explanation.ok()) << explanation.error().message();
    EXPECT_TRUE(explanation->same);
    EXPECT_EQ(explanation->result.batch, 40);
    EXPECT_EQ(explanation->result.tpot_s, result.tpot_s);
    double share = 0.0;
    for (const PhaseBound& each : explanation->phases) share += each.share;
    EXPECT_NEAR(share, 1.0, 1e-9);
}

TEST(Explain, each_improvement_is_the_simulation_with_that_setting) {
    const auto explanation = explain(saved(seventy), "r.json", 0);
    for (const auto& [name, setting] : std::vector<std::pair<std::string, std::string>>{
             {"gpu.memory_bandwidth x 2", "gpu.memory_bandwidth: 4078 GB/s"},
             {"pnm.count x 2", "pnm.count: 16"},
             {"pnm.memory_capacity x 2", "pnm.memory_capacity: 1024 GiB"},
             {"uplink.latency / 2", "uplink.latency: 50 ns"},
             {"budget / 2", "budget: 16K"}}) {
        const SimulationResult better = saved(seventy + ", " + setting);
        const Improvement& found = improvement(*explanation, name);
        ASSERT_TRUE(found.throughput_ratio) << name;
        EXPECT_DOUBLE_EQ(*found.throughput_ratio,
                         *better.throughput_tok_per_s / *explanation->result.throughput_tok_per_s)
            << name;
        EXPECT_EQ(found.batch, better.batch) << name;
    }
}

TEST(Explain, improvements_are_ranked_and_what_does_not_fit_comes_last) {
    const auto explanation = explain(saved(seventy), "r.json", 0);
    double last = 1e9;
    for (const Improvement& each : explanation->improvements) {
        EXPECT_LE(each.throughput_ratio.value_or(0.0), last);
        last = each.throughput_ratio.value_or(0.0);
    }
    EXPECT_EQ(explanation->improvements.back().name, "batch x 2");
    EXPECT_THAT(explanation->improvements.back().reason, HasSubstr("batch of 192 was asked for"));
    // Bounds of the hardware only ever help.
    for (const Improvement& each : explanation->improvements) {
        if (each.limit.find("bandwidth") == std::string::npos || !each.throughput_ratio) continue;
        EXPECT_GE(*each.throughput_ratio, 1.0 - 1e-9) << each.name;
    }
}

// 405B has a GQA group of 16: attention needs 2.2 times the FLOPs that the device has for each
// byte.
TEST(Explain, phases_are_bound_by_what_their_arithmetic_says) {
    const auto rack = explain(saved("model: llama-3.1-405b, system: rack-2x8a100-pnm64, policy: "
                                    "pnm-kv, context: 1M, page-size: 64"),
                              "r.json", 0);
    EXPECT_EQ(phase(*rack, "attention").bound, "PNM compute");
    EXPECT_EQ(phase(*rack, "attention").resource, "pnm");
    const auto one = explain(saved("model: llama-3.1-8b, system: a100x1, policy: dense, "
                                   "context: 32K, batch: 1"),
                             "r.json", 0);
    EXPECT_EQ(phase(*one, "ffn").bound, "GPU bandwidth");
    EXPECT_EQ(phase(*one, "attention").bound, "GPU bandwidth");
    const auto recall = explain(saved("model: llama-3.1-8b, system: a100x1-cxl, policy: recall, "
                                      "context: 128K"),
                                "r.json", 0);
    EXPECT_EQ(phase(*recall, "recall").bound, "link bandwidth");
    EXPECT_EQ(phase(*recall, "recall").resource, "host_link");
}

TEST(Explain, nothing_does_more_than_its_peak) {
    for (const std::string& settings :
         {seventy,
          std::string("model: llama-3.1-8b, system: a100x1-cxl, policy: recall, "
                      "context: 64K"),
          std::string("model: llama-3.1-8b, system: a100x8, policy: dense, context: 128K"),
          std::string(
              "model: llama-3.1-70b, system: a100x4-pnm2, policy: png-kv, context: 256K")}) {
        const auto explanation = explain(saved(settings), "r.json", 0);
        ASSERT_TRUE(explanation.ok());
        for (const PhaseBound& each : explanation->phases) {
            if (each.peak_bytes_per_s > 0.0) {
                EXPECT_LE(each.bytes_per_s, each.peak_bytes_per_s * (1.0 + 1e-9)) << each.name;
            }
            if (each.peak_flop_per_s > 0.0) {
                EXPECT_LE(each.flop_per_s, each.peak_flop_per_s * (1.0 + 1e-9)) << each.name;
            }
        }
    }
}

TEST(Explain, the_number_of_threads_changes_nothing) {
    const SimulationResult result = saved(seventy + ", batch: 8");
    EXPECT_EQ(explanation_text(*explain(result, "r.json", 1), false),
              explanation_text(*explain(result, "r.json", 4), false));
}

TEST(Explain, the_text_stays_within_the_terminal_and_on_its_lines) {
    const std::string text = explanation_text(*explain(saved(seventy), "r.json", 0), false);
    EXPECT_THAT(text, HasSubstr("What would help"));
    EXPECT_EQ(text.find('?'), std::string::npos);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(display_width(line), 100) << line;
    }
}

TEST(Explain, a_result_that_is_not_what_it_was_says_so) {
    SimulationResult result = saved(seventy);
    result.throughput_tok_per_s = *result.throughput_tok_per_s * 1.01;
    const auto explanation = explain(result, "r.json", 0);
    EXPECT_FALSE(explanation->same);
    EXPECT_THAT(explanation_text(*explanation, false), HasSubstr("The saved result differs"));
}

TEST(Explain, what_cannot_be_made_again_is_refused_with_the_file) {
    SimulationResult result = saved(seventy);
    result.settings.clear();
    EXPECT_THAT(explain(result, "r.json", 0).error().message(), testing::StartsWith("r.json: "));
    result.settings = {{"model", "/gone/config.json"},
                       {"system", "a100x1"},
                       {"policy", "dense"},
                       {"context", "1K"}};
    const auto gone = explain(result, "r.json", 0);
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().exit_status(), 2);
    EXPECT_THAT(gone.error().message(), testing::StartsWith("r.json: "));
    const auto nothing = explain(saved("model: llama-3.1-70b, system: a100x2, policy: dense, "
                                       "context: 128K"),
                                 "r.json", 0);
    ASSERT_FALSE(nothing.ok());
    EXPECT_EQ(nothing.error().exit_status(), 1);
}

TEST(Explain, an_unknown_name_among_the_settings_is_refused) {
    SimulationResult result = saved(seventy);
    result.settings.emplace_back("colour", "red");
    const auto explanation = explain(result, "r.json", 0);
    ASSERT_FALSE(explanation.ok());
    EXPECT_THAT(explanation.error().message(), HasSubstr("unknown setting 'colour'"));
}

}  // namespace
}  // namespace memside
