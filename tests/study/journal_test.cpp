#include "study/journal.h"

#include <filesystem>

#include "cli/process.h"
#include "report/json.h"
#include "study/points.h"
#include "study/runner.h"

namespace memside {
namespace {

const std::string base =
    "base: {model: llama-3.1-8b, system: a100x1-pnm1, policy: pnm-kv, context: 32K}\n";

std::string print_of(const std::string& spec) {
    const PointSet set = points_of(spec);
    return fingerprint(*read_request(set.points.at(0).settings));
}

TEST(Journal, a_fingerprint_changes_with_every_setting_and_constant) {
    const std::string first = print_of(base);
    EXPECT_EQ(print_of(base), first);
    EXPECT_NE(print_of(base + "set: {pnm.price: 1 USD/h}\n"), first);
    EXPECT_NE(print_of(base + "grid: {seed: [2]}\n"), first);
    EXPECT_NE(print_of(base + "grid: {model: [llama-3.1-70b]}\n"), first);
    // The same settings, another description behind the name.
    auto request = read_request(points_of(base).points.at(0).settings);
    request->system.components.at("pnm").constants.at("price").text = "9 USD/h";
    EXPECT_NE(fingerprint(*request), first);
}

TEST(Journal, a_fingerprint_changes_with_the_content_of_a_file_that_is_read) {
    const Workplace place;
    const std::string file = place.write("w.csv", "context_tokens\n1024\n");
    const std::string spec =
        "base: {model: llama-3.1-8b, system: a100x1-pnm1, policy: pnm-kv, "
        "workload: " +
        file + "}\n";
    const std::string first = print_of(spec);
    place.write("w.csv", "context_tokens\n2048\n");
    EXPECT_NE(print_of(spec), first);
}

TEST(Journal, a_line_that_was_cut_short_is_passed_over) {
    const Workplace place;
    const std::string path = place.file("points.jsonl");
    const auto request = read_request(points_of(base).points.at(0).settings);
    const std::string line = json_line(run_point(*request));
    ASSERT_TRUE(Journal::write(path, {{"one", line}}).ok());
    Journal journal(path);
    ASSERT_TRUE(journal.append("two", line).ok());
    EXPECT_EQ(Journal::read(path).size(), 2);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
    EXPECT_EQ(Journal::read(path).size(), 1);
    EXPECT_TRUE(Journal::read(path).contains("one"));
    EXPECT_TRUE(Journal::read(place.file("missing")).empty());
}

TEST(Journal, a_result_on_one_line_is_the_same_result) {
    SimulationResult result = run_point(*read_request(points_of(base).points.at(0).settings));
    result.reason = "two\nlines  and \"quotes\"";
    const std::string line = json_line(result);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto back = from_json(line, "line");
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(to_json(*back), to_json(result));
}

}  // namespace
}  // namespace memside
