#include "pim/pim_tables.h"

#include <gtest/gtest.h>
#include <fstream>
#include <sstream>

namespace memside::pim {
namespace {

TEST(PimTables, the_document_has_the_table_that_the_readers_use) {
    std::stringstream text;
    text << std::ifstream(MEMSIDE_SOURCE_DIR "/docs/pim.md").rdbuf();
    const std::string current = with_tables(text.str());
    ASSERT_NE(current, "");
    EXPECT_EQ(text.str(), current) << "run build/release/pim_table --write";
}

}  // namespace
}  // namespace memside::pim
