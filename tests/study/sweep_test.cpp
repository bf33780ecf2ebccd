#include "study/sweep.h"

#include <sstream>

#include "report/csv.h"
#include "study/points.h"
#include "study/runner.h"

namespace memside {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

TEST(Sweep, the_table_has_a_column_per_swept_key_and_then_the_scalar_keys_each_once) {
    const PointSet set = points_of(
        "base: {model: llama-3.1-8b, policy: pnm-kv, system: a100x1-pnm1}\n"
        "grid: {context: [32K], page-size: [16, 32], batch: [1, 100000], gpu.price: [1 USD/h]}\n");
    const auto results = run_points(set.points, {});
    const std::vector<std::string> lines = lines_of(sweep_csv(set, *results));
    ASSERT_EQ(lines.size(), 5);
    EXPECT_THAT(lines[0], testing::StartsWith("context,page_size,batch,gpu.price,version,model,"
                                              "system,policy,context_tokens,micro_batches,"));
    EXPECT_THAT(lines[0], testing::EndsWith(",seed,reason"));
    // Every scalar key but `batch`, which stands in front.
    const auto commas = std::count(lines[0].begin(), lines[0].end(), ',');
    EXPECT_EQ(commas + 1, std::ssize(csv_columns()) - 1 + 4);
    EXPECT_THAT(lines[1], testing::StartsWith("32K,16,1,1 USD/h,"));
    // What does not fit is a row: batch 0, and why.
    EXPECT_THAT(lines[2], testing::StartsWith("32K,16,0,1 USD/h,"));
    EXPECT_THAT(lines[2], testing::HasSubstr("a batch of 100000 was asked for"));
}

}  // namespace
}  // namespace memside
