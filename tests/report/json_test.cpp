#include "report/json.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "report/random_results.h"
#include "report/sample_results.h"

namespace memside {
namespace {

std::string expected_file(const std::string& name) {
    std::ifstream in(std::string(MEMSIDE_SOURCE_DIR) + "/tests/report/expected/" + name);
    EXPECT_TRUE(in.good()) << name;
    std::ostringstream text;
    text << in.rdbuf();
    std::string content = text.str();
    const std::string mark = "@VERSION@";
    return content.replace(content.find(mark), mark.size(), MEMSIDE_VERSION);
}

// As the command-line reference lists them, in its order; typed in, not taken from the code.
const std::vector<std::string> documented_keys{"version",
                                               "model",
                                               "system",
                                               "policy",
                                               "context_tokens",
                                               "batch",
                                               "micro_batches",
                                               "budget_tokens",
                                               "page_size_tokens",
                                               "throughput_tok_per_s",
                                               "tpot_s",
                                               "tpot_p50_s",
                                               "tpot_p95_s",
                                               "tpot_p99_s",
                                               "ttft_s",
                                               "energy_j_per_token",
                                               "energy_coarse_j_per_token",
                                               "usd_per_hour",
                                               "tokens_per_usd",
                                               "kv_bytes_per_request",
                                               "digest_bytes_per_request",
                                               "kv_capacity_utilization",
                                               "pages_selected_per_step",
                                               "pages_recalled_per_step",
                                               "pages_recalled_stderr",
                                               "select_sample",
                                               "bytes_recalled_per_step",
                                               "kv_bytes_read_per_step",
                                               "digest_bytes_read_per_step",
                                               "gpu_utilization",
                                               "device_utilization",
                                               "pim_mac_utilization",
                                               "tp",
                                               "pp",
                                               "phases",
                                               "resources",
                                               "energy",
                                               "assumptions",
                                               "seed"};

std::vector<std::string> keys_of(const std::string& text) {
    std::vector<std::string> keys;
    const auto document = nlohmann::ordered_json::parse(text);
    for (const auto& [key, value] : document.items()) keys.push_back(key);
    return keys;
}

TEST(Json, every_documented_key_is_there_in_the_documented_order) {
    for (const SimulationResult& result : samples::demo()) {
        std::vector<std::string> keys = keys_of(to_json(result));
        // Keys may be added between them.
        std::erase_if(keys, [](const std::string& key) {
            return std::find(documented_keys.begin(), documented_keys.end(), key) ==
                   documented_keys.end();
        });
        EXPECT_EQ(keys, documented_keys);
    }
}

TEST(Json, a_result_without_values_is_the_hand_written_file) {
    SimulationResult result;
    result.model = "m \"1\"";
    result.system = std::string("s");  // GCC 12 warns of an assigned literal, falsely
    result.policy = "dense";
    result.context_tokens = 131072;
    result.reason = "no room";
    result.seed = 18446744073709551615u;
    EXPECT_EQ(to_json(result), expected_file("empty.json"));
}

TEST(Json, a_result_with_values_is_the_hand_written_file) {
    SimulationResult result;
    result.model = "m";
    result.system = "s";
    result.policy = "pnm-kv";
    result.context_tokens = 1048576;
    result.batch = 96;
    result.micro_batches = 2;
    result.budget_tokens = 32768;
    result.throughput_tok_per_s = 480.5;
    result.tpot_s = 0.1;
    result.kv_bytes_per_request = 42949672960;
    result.tp = 2;
    result.phases = {{"fc", 0.04}, {"attention", 0.06}};
    result.resources = {{"gpu", 0.04}};
    result.energy = {{"links", 1e-7}};
    result.page_steps = {{1024, 0, 41.5}};
    TimelineTask task;
    task.name = "qkv";
    task.phase = "fc";
    task.duration_s = 0.5;
    result.layer_timeline = SimulationResult::LayerTimeline{40, {"gpu"}, {task}};
    result.assumptions = {{"selection", "not run", "assumed: a < b"}};
    result.capacity =
        SimulationResult::Capacity{"pnm", 8, 549755813888.0, 0, 44291850240.0, 1342177280.0, 12};
    result.constants = {{"gpu.compute", "312 TFLOP/s", 312e12, Dimension::flop_per_second,
                         "A100 datasheet", "systems/a100.yaml:4"}};
    result.settings = {{"context", "1M"}, {"gpu.price", "1 USD/h"}};
    EXPECT_EQ(to_json(result), expected_file("full.json"));
}

RC_GTEST_PROP(Json, what_is_written_reads_back_to_the_same_result, ()) {
    const SimulationResult result = samples::random_result();
    const std::string text = to_json(result);
    RC_ASSERT(text.back() == '\n');
    const auto back = from_json(text, "r.json");
    RC_ASSERT(back.ok());
    RC_ASSERT(to_json(*back) == text);
    // The text alone could lose a value twice in the same way: compare fields as well.
    for (const ScalarField& field : scalar_fields()) {
        const bool same = std::visit(
            [&](auto member) { return back.value().*member == result.*member; }, field.member);
        RC_ASSERT(same);
    }
    RC_ASSERT(back->batch_mean == result.batch_mean);
    RC_ASSERT(back->serving.size() == result.serving.size());
    for (std::size_t i = 0; i < result.serving.size(); ++i) {
        RC_ASSERT(back->serving[i].time_s == result.serving[i].time_s);
        RC_ASSERT(back->serving[i].batch == result.serving[i].batch);
        RC_ASSERT(back->serving[i].waiting == result.serving[i].waiting);
        RC_ASSERT(back->serving[i].kv_live_share == result.serving[i].kv_live_share);
    }
    RC_ASSERT(back->seed == result.seed);
    RC_ASSERT(back->reason == result.reason);
    RC_ASSERT(back->settings == result.settings);
    RC_ASSERT(back->phases.size() == result.phases.size());
    for (std::size_t i = 0; i < result.phases.size(); ++i) {
        RC_ASSERT(back->phases[i].name == result.phases[i].name);
        RC_ASSERT(back->phases[i].time_s == result.phases[i].time_s);
    }
    RC_ASSERT(back->constants.size() == result.constants.size());
    for (std::size_t i = 0; i < result.constants.size(); ++i) {
        RC_ASSERT(back->constants[i].path == result.constants[i].path);
        RC_ASSERT(back->constants[i].text == result.constants[i].text);
        RC_ASSERT(back->constants[i].source == result.constants[i].source);
    }
    RC_ASSERT(back->capacity.has_value() == result.capacity.has_value());
    if (result.capacity) {
        RC_ASSERT(back->capacity->request_bytes == result.capacity->request_bytes);
        RC_ASSERT(back->capacity->digest_bytes == result.capacity->digest_bytes);
        RC_ASSERT(back->capacity->requests_per_device == result.capacity->requests_per_device);
    }
}

std::string error_of(const std::string& text) {
    const auto result = from_json(text, "r.json");
    EXPECT_FALSE(result.ok()) << text;
    if (result.ok()) return "";
    EXPECT_EQ(result.error().exit_status(), 2);
    const std::string message = result.error().message();
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
}

// The sample with one value replaced, or the key removed when `value` is "".
std::string error_with(const std::string& pointer, const std::string& value) {
    auto document = nlohmann::ordered_json::parse(to_json(samples::near_memory()));
    const nlohmann::ordered_json::json_pointer at(pointer);
    if (value.empty()) {
        document[at.parent_pointer()].erase(at.back());
    } else {
        document[at] = nlohmann::ordered_json::parse(value);
    }
    return error_of(document.dump());
}

TEST(Json, what_is_no_result_is_refused_with_its_place) {
    EXPECT_THAT(error_of(""), testing::StartsWith("r.json: is not valid JSON: "));
    EXPECT_THAT(error_of("{\"version\": \"0.1.0\", "),
                testing::HasSubstr("parse error at line 1, column 22"));
    EXPECT_THAT(error_of("{\"a\": 1e999}"), testing::StartsWith("r.json: is not valid JSON: "));
    EXPECT_EQ(error_of("[]"), "r.json: a list is not a result; allowed: a JSON object");
    EXPECT_EQ(error_of("{}"),
              "r.json: version: the key is missing; is this a result of simulate --json?");
    const std::string deep(100000, '[');
    EXPECT_THAT(error_of(deep), testing::StartsWith("r.json: is not valid JSON: "));
    EXPECT_THAT(error_of(deep + std::string(100000, ']')), testing::HasSubstr("is not a result"));
}

TEST(Json, every_type_is_checked_and_the_key_named) {
    EXPECT_EQ(error_with("/model", "3"), "r.json: model: '3' is not allowed here; allowed: a text");
    EXPECT_EQ(
        error_with("/batch", "-1"),
        "r.json: batch: '-1' is not allowed here; allowed: a whole number from 0 to 2^63 - 1");
    EXPECT_THAT(error_with("/batch", "1.5"), testing::HasSubstr("batch: '1.5' is not allowed"));
    EXPECT_THAT(error_with("/batch", "null"), testing::HasSubstr("batch: null is not allowed"));
    EXPECT_THAT(error_with("/batch", "9223372036854775808"), testing::HasSubstr("batch: "));
    EXPECT_THAT(error_with("/seed", "-1"), testing::HasSubstr("seed: '-1' is not allowed"));
    EXPECT_THAT(error_with("/tpot_s", "\"fast\""), testing::HasSubstr("tpot_s: 'fast'"));
    EXPECT_THAT(error_with("/tpot_s", "-0.5"), testing::HasSubstr("a number that is not negative"));
    EXPECT_THAT(error_with("/phases", "{}"), testing::HasSubstr("phases: an object"));
    EXPECT_THAT(error_with("/phases/1", "true"), testing::HasSubstr("phases[1]: true"));
    EXPECT_THAT(error_with("/phases/2/time_s", "[]"),
                testing::HasSubstr("phases[2].time_s: a list is not allowed"));
    EXPECT_THAT(error_with("/energy/0/name", ""),
                testing::HasSubstr("energy[0].name: the key is missing"));
    EXPECT_THAT(error_with("/assumptions/0/source", "null"),
                testing::HasSubstr("assumptions[0].source: null"));
    EXPECT_THAT(error_with("/capacity/devices", "\"8\""),
                testing::HasSubstr("capacity.devices: '8'"));
    EXPECT_THAT(error_with("/capacity", "4"), testing::HasSubstr("allowed: an object or null"));
    EXPECT_THAT(error_with("/constants/0/value", "1"), testing::HasSubstr("constants[0].value"));
}

TEST(Json, a_missing_key_names_the_one_that_was_probably_meant) {
    auto document = nlohmann::json::parse(to_json(samples::dense_gpus()));
    document["modle"] = document["model"];
    document.erase("model");
    EXPECT_EQ(error_of(document.dump()), "r.json: model: the key is missing; there is 'modle'");
}

// Truncated, or with one byte changed: an error on one line, or a result that writes again.
RC_GTEST_PROP(Json, a_damaged_file_is_refused_in_one_line_or_still_a_result, ()) {
    std::string text = to_json(samples::near_memory());
    const auto at = static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(text.size())));
    if (*rc::gen::inRange(0, 2) == 0) {
        text.resize(at);
    } else {
        text[at] = static_cast<char>(*rc::gen::inRange(0, 256));
    }
    const auto result = from_json(text, "r.json");
    if (result.ok()) {
        RC_ASSERT(from_json(to_json(result.value()), "r.json").ok());
    } else {
        RC_ASSERT(result.error().message().starts_with("r.json: "));
        RC_ASSERT(result.error().message().find('\n') == std::string::npos);
    }
}

TEST(Json, keys_of_a_later_version_are_skipped_and_optional_ones_may_be_missing) {
    auto document = nlohmann::json::parse(to_json(samples::dense_gpus()));
    document["added_later"] = {{"x", 1}};
    for (const char* key : {"tpot_p50_s", "reason", "capacity", "constants"}) document.erase(key);
    const auto result = from_json(document.dump(), "r.json");
    ASSERT_TRUE(result.ok()) << result.error().message();
    EXPECT_EQ(result->batch, 3);
    EXPECT_FALSE(result->capacity.has_value());
}

TEST(Json, sample_phases_sum_to_the_time_of_a_step) {
    for (const SimulationResult& result : samples::demo()) {
        double sum_s = 0;
        const auto document = nlohmann::json::parse(to_json(result));
        for (const auto& phase : document["phases"]) {
            sum_s += phase["time_s"].get<double>();
        }
        EXPECT_NEAR(sum_s, result.tpot_s.value_or(0), 1e-12);
    }
}

}  // namespace
}  // namespace memside
