#include "pnm/pnm_tables.h"

#include <gtest/gtest.h>
#include <fstream>
#include <sstream>

namespace memside::pnm {
namespace {

TEST(PnmTables, the_document_has_the_tables_that_the_model_gives) {
    std::stringstream text;
    text << std::ifstream(MEMSIDE_SOURCE_DIR "/docs/pnm.md").rdbuf();
    const std::string current = with_tables(text.str());
    ASSERT_NE(current, "");
    EXPECT_EQ(text.str(), current) << "run build/release/pnm_table --write";
}

}  // namespace
}  // namespace memside::pnm
