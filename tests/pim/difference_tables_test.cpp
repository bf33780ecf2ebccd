#include "pim/difference_tables.h"

#include <fstream>
#include <sstream>

namespace memside::pim {
namespace {

TEST(DifferenceTables, those_in_the_documentation_are_current) {
    std::stringstream text;
    text << std::ifstream(fmt::format("{}/docs/aim-differences.md", MEMSIDE_SOURCE_DIR)).rdbuf();
    EXPECT_EQ(with_difference_tables(text.str()), text.str()) << "run aim_table";
}

}  // namespace
}  // namespace memside::pim
