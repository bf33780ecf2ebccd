// Files of requests.
#include "cluster/workload.h"

namespace memside {
namespace {

using testing::HasSubstr;

TEST(WorkloadReader, csv_finds_its_columns_by_name) {
    const auto file = parse_workload_csv(
        "arrival_s,id,context_tokens,output_tokens\n0.5,1,128K,7\n0,2, 4096 ,1K\n", "w.csv");
    ASSERT_TRUE(file.ok()) << file.error().message();
    ASSERT_EQ(file->requests.size(), 2U);
    EXPECT_TRUE(file->has_output && file->has_arrivals);
    EXPECT_EQ(file->requests[0].context_tokens, 131072);
    EXPECT_EQ(file->requests[0].output_tokens, 7);
    EXPECT_EQ(file->requests[0].arrival_s, 0.5);
    EXPECT_EQ(file->requests[1].context_tokens, 4096);
    EXPECT_EQ(file->requests[1].output_tokens, 1024);
}

TEST(WorkloadReader, jsonl_is_an_object_a_line) {
    const auto file = parse_workload_jsonl(
        "{\"context_tokens\": 10, \"arrival_s\": 1.25}\n\n"
        "{\"context_tokens\": 11, \"arrival_s\": 0, \"more\": []}\n",
        "w.jsonl");
    ASSERT_TRUE(file.ok()) << file.error().message();
    ASSERT_EQ(file->requests.size(), 2U);
    EXPECT_FALSE(file->has_output);
    EXPECT_EQ(file->requests[0].arrival_s, 1.25);
    EXPECT_EQ(file->requests[1].context_tokens, 11);
}

TEST(WorkloadReader, errors_of_csv_name_the_line) {
    const std::pair<const char*, const char*> texts[] = {
        {"", "holds no request"},
        {"context_tokens\n", "holds no request"},
        {"id\n1\n", "w.csv:1: the header line has no column 'context_tokens'"},
        {"id,context_tokens\n1\n", "w.csv:2: has no value for 'context_tokens'"},
        {"context_tokens\n5\n-5\n", "w.csv:3: '-5' is out of range"},
        {"context_tokens,output_tokens\n5,0\n", "w.csv:2: '0' is out of range"},
        {"context_tokens,output_tokens\n5\n", "w.csv:2: has no value for 'output_tokens'"},
        {"context_tokens,arrival_s\n5,-1\n", "w.csv:2: '-1' is no 'arrival_s'"},
        {"context_tokens,arrival_s\n5,soon\n", "w.csv:2: 'soon' is not a number"},
    };
    for (const auto& [text, says] : texts) {
        const auto file = parse_workload_csv(text, "w.csv");
        ASSERT_FALSE(file.ok()) << text;
        EXPECT_THAT(file.error().message(), HasSubstr(says));
    }
}

TEST(WorkloadReader, errors_of_jsonl_name_the_line) {
    for (const char* text : {"{", "[1]", "{\"context_tokens\": 1.5}", "{\"tokens\": 3}",
                             "{\"context_tokens\": 1, \"output_tokens\": \"2\"}",
                             "{\"context_tokens\": 1, \"arrival_s\": -2}"}) {
        const auto file = parse_workload_jsonl(text, "w.jsonl");
        ASSERT_FALSE(file.ok()) << text;
        EXPECT_THAT(file.error().message(), HasSubstr("w.jsonl:1: "));
    }
    const auto file = parse_workload_jsonl(
        "{\"context_tokens\": 1}\n{\"context_tokens\": 1, \"arrival_s\": 2}\n", "w.jsonl");
    ASSERT_FALSE(file.ok());
    EXPECT_THAT(file.error().message(),
                HasSubstr("w.jsonl:2: 'arrival_s' must be given for all requests or for none"));
}

}  // namespace
}  // namespace memside
