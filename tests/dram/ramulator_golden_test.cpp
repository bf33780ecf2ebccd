// The 20 Ramulator 2.1 rows of golden/ramulator2.csv: five standards, sequential and random reads,
// refresh on and off.
#include <cmath>

#include "dram/golden_rows.h"

namespace memside::dram {
namespace {

class RamulatorRows : public testing::TestWithParam<GoldenRow> {};

TEST_P(RamulatorRows, bandwidth_and_latency_are_within_the_bounds) {
    const GoldenComparison row = compare(GetParam());
    const double bandwidth_bound = row.theirs.random ? 0.05 : 0.02;
    const double latency_bound = 0.10;
    std::printf("%.3f GB/s for %.3f (%+.2f %%), latency %.1f for %.1f cycles (%+.2f %%)\n",
                row.bandwidth_gbps, row.theirs.bandwidth_gbps, 100 * row.bandwidth_deviation(),
                row.latency_cycles, row.theirs.latency_cycles, 100 * row.latency_deviation());
    EXPECT_LE(std::abs(row.bandwidth_deviation()), bandwidth_bound);
    EXPECT_LE(std::abs(row.latency_deviation()), latency_bound);
}

std::string row_name(const testing::TestParamInfo<GoldenRow>& info) {
    return info.param.standard + (info.param.random ? "_random" : "_sequential") +
           (info.param.refresh ? "_with_refresh" : "_without_refresh");
}

INSTANTIATE_TEST_SUITE_P(All, RamulatorRows, testing::ValuesIn(read_golden_rows()), row_name);

TEST(RamulatorRows, the_table_in_the_documentation_is_current) {
    std::vector<GoldenComparison> rows;
    for (const GoldenRow& row : read_golden_rows()) rows.push_back(compare(row));
    const std::string document = read_text(std::string(MEMSIDE_SOURCE_DIR) + "/docs/dram.md");
    EXPECT_EQ(replace_table(document, "accuracy", accuracy_table(rows)), document)
        << "run dram_table --write";
}

TEST(RamulatorRows, there_are_twenty) {
    EXPECT_EQ(read_golden_rows().size(), 20U);
}

}  // namespace
}  // namespace memside::dram
