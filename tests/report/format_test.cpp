#include "report/format.h"

#include "report/sample_results.h"

namespace memside {
namespace {

using samples::gib;

TEST(Figure, has_three_digits_and_no_exponent) {
    EXPECT_EQ(figure(0), "0");
    EXPECT_EQ(figure(0.0123), "0.0123");
    EXPECT_EQ(figure(3.1), "3.1");
    EXPECT_EQ(figure(21.94), "21.9");
    EXPECT_EQ(figure(480), "480");
    EXPECT_EQ(figure(999.9), "1000");
    EXPECT_EQ(figure(1234.4), "1,234");
    EXPECT_EQ(figure(512345.6), "512,346");
    EXPECT_EQ(figure(12345678), "12.3 million");
}

TEST(Bytes, what_just_fits_does_not_read_as_just_full) {
    EXPECT_EQ(short_bytes(511.875 * gib), "511.88 GiB");
    EXPECT_EQ(short_bytes(512 * gib), "512 GiB");
    EXPECT_EQ(short_bytes(519.75 * gib), "519.75 GiB");
    EXPECT_EQ(short_bytes(1024 * gib), "1,024 GiB");
    EXPECT_EQ(short_bytes(8192 * gib), "8 TiB");
    EXPECT_EQ(short_bytes(0), "0 B");
}

TEST(Percent, always_has_one_decimal) {
    EXPECT_EQ(percent(0.2), "20.0 %");
    EXPECT_EQ(percent(0.7849), "78.5 %");
}

TEST(Memory, the_parts_of_a_device_sum_to_what_it_holds) {
    const SimulationResult result = samples::near_memory();
    const MemoryFill fill = memory_fill(result, *result.capacity);
    EXPECT_DOUBLE_EQ(fill.kv_bytes, 12 * 40 * gib);
    EXPECT_DOUBLE_EQ(fill.digest_bytes, 12 * 1.25 * gib);
    EXPECT_DOUBLE_EQ(fill.weights_bytes + fill.kv_bytes + fill.digest_bytes + fill.free_bytes,
                     512 * gib);
}

TEST(Memory, when_nothing_fits_it_is_one_request_against_what_is_left) {
    const SimulationResult result = samples::nothing_fits();
    const MemoryFill fill = memory_fill(result, *result.capacity);
    EXPECT_DOUBLE_EQ(fill.kv_bytes, 20 * gib);
    EXPECT_DOUBLE_EQ(fill.free_bytes, (71.53 - 65.71) * gib);
}

TEST(Memory, weights_that_are_too_large_leave_nothing) {
    SimulationResult result = samples::nothing_fits();
    result.capacity->weight_bytes = 100 * gib;
    EXPECT_EQ(memory_fill(result, *result.capacity).free_bytes, 0);
}

TEST(Assumptions, assumed_constants_join_them_once) {
    SimulationResult result = samples::near_memory();
    const auto keys_of = [&] {
        std::vector<std::string> keys;
        for (const Assumption& a : all_assumptions(result)) keys.push_back(a.key);
        return keys;
    };
    EXPECT_THAT(keys_of(), testing::ElementsAre("selection", "budget_tokens",
                                                "gpu.memory_efficiency", "cxl.latency"));
    result.assumptions.push_back({"cxl.latency", "600 ns", "assumed: listed already"});
    EXPECT_EQ(keys_of().size(), 4u);
}

std::vector<std::string> lines_of(const ResultLabels& labels) {
    std::vector<std::string> lines;
    for (const auto& label : labels.labels) lines.push_back(label.line());
    return lines;
}

TEST(Labels, what_results_share_is_said_once) {
    const ResultLabels labels = label_results(samples::demo());
    EXPECT_EQ(labels.shared, "llama-3.1-70b, 128K tokens");
    EXPECT_THAT(lines_of(labels),
                testing::ElementsAre("a100x2, dense", "a100x4, dense", "a100x2-pnm8, pnm-kv"));
}

TEST(Labels, a_served_workload_is_called_by_its_name) {
    SimulationResult result = samples::near_memory();
    result.requests = 256;
    result.settings = {{"workload", "qmsum"}};
    EXPECT_EQ(label_results({result}).shared, "llama-3.1-70b, qmsum, 256 requests");
}

TEST(Batch, of_a_served_workload_is_its_mean) {
    SimulationResult result = samples::near_memory();
    result.batch = 14;
    EXPECT_EQ(batch_text(result), "14");
    result.batch_mean = 14.25;
    EXPECT_EQ(batch_text(result), "14.2");
}

TEST(Labels, what_differs_is_in_each) {
    auto results = samples::demo();
    results[1].context_tokens = 1048576;
    const ResultLabels labels = label_results(results);
    EXPECT_EQ(labels.shared, "llama-3.1-70b");
    EXPECT_EQ(labels.labels[1].detail, "dense, 1M tokens");
}

TEST(Labels, results_are_told_apart_by_the_first_thing_that_does_it) {
    std::vector<SimulationResult> results(2, samples::near_memory());
    results[1].page_size_tokens = 64;
    EXPECT_THAT(lines_of(label_results(results)),
                testing::ElementsAre("a100x2-pnm8, pnm-kv, pages of 32",
                                     "a100x2-pnm8, pnm-kv, pages of 64"));
    results[1] = results[0];
    results[1].batch = 24;
    results[1].assumptions.push_back({"pnm.count", "2", "--set"});
    for (SimulationResult& result : results) {
        result.assumptions.push_back({"gpu.price", "1 USD/h", "--set"});
    }
    EXPECT_THAT(lines_of(label_results(results)),
                testing::ElementsAre("a100x2-pnm8, pnm-kv", "a100x2-pnm8, pnm-kv, pnm.count 2"));
    results[1] = results[0];
    EXPECT_THAT(lines_of(label_results(results)),
                testing::ElementsAre("a100x2-pnm8, pnm-kv, #1", "a100x2-pnm8, pnm-kv, #2"));
}

TEST(HeldBack, is_the_largest_phase) {
    EXPECT_EQ(held_back_by(samples::near_memory()), "attention, 64.5 %");
    EXPECT_EQ(held_back_by(samples::nothing_fits()), "");
}

TEST(Labels, every_input_tells_results_apart) {
    using R = SimulationResult;
    const std::vector<std::pair<std::string, void (*)(R&)>> changes{
        {"budget 8K", [](R& r) { r.budget_tokens = 8192; }},
        {"pages of 64", [](R& r) { r.page_size_tokens = 64; }},
        {"KV in int8", [](R& r) { r.kv_type = "int8"; }},
        {"centre-max digests", [](R& r) { r.digest = "centre-max"; }},
        {"digests in int8", [](R& r) { r.digest_type = "int8"; }},
        {"dense layers 2", [](R& r) { r.dense_layers = 2; }},
        {"sink pages 1", [](R& r) { r.sink_pages = 1; }},
        {"recent pages 4", [](R& r) { r.recent_pages = 4; }},
        {"overlap half-batches", [](R& r) { r.overlap = "half-batches"; }},
        {"seed 7", [](R& r) { r.seed = 7; }},
        {"batch 4", [](R& r) { r.batch = 4; }},
    };
    for (const auto& [text, change] : changes) {
        std::vector<R> results(2, samples::near_memory());
        change(results[1]);
        const ResultLabels labels = label_results(results);
        EXPECT_EQ(labels.labels[1].extra, text == "batch 4" ? "" : text);
        EXPECT_EQ(labels.labels[1].line(), "a100x2-pnm8, pnm-kv, " + text);
        EXPECT_NE(labels.labels[0].line(), labels.labels[1].line());
    }
}

TEST(Labels, only_those_that_read_alike_say_more) {
    std::vector<SimulationResult> results(3, samples::near_memory());
    results[1].budget_tokens = 8192;
    results[2].system = "a100x2-pnm4";
    results[2].budget_tokens = 4096;
    EXPECT_THAT(lines_of(label_results(results)),
                testing::ElementsAre("a100x2-pnm8, pnm-kv, budget 32K",
                                     "a100x2-pnm8, pnm-kv, budget 8K", "a100x2-pnm4, pnm-kv"));
}

TEST(Labels, what_differs_by_its_system_alone_has_nothing_extra) {
    for (const auto& label : label_results(samples::demo()).labels) EXPECT_EQ(label.extra, "");
}

}  // namespace
}  // namespace memside
