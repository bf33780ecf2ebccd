#include "study/csv_reader.h"

#include <rapidcheck/gtest.h>

#include "report/csv.h"

namespace memside {
namespace {

using testing::ElementsAre;

RC_GTEST_PROP(CsvReader, reads_what_csv_line_wrote, ()) {
    const auto cell =
        rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r', ' ', 'z'));
    const auto rows = *rc::gen::container<std::vector<std::vector<std::string>>>(
        rc::gen::container<std::vector<std::string>>(3, cell));
    std::string text = csv_line({"a", "b", "c"});
    for (const auto& row : rows) text += csv_line(row);
    const auto table = parse_csv(text, "t.csv");
    RC_ASSERT(table.ok());
    RC_ASSERT(table->rows == rows);
}

TEST(CsvReader, knows_the_line_of_a_row_behind_line_breaks) {
    const auto table = parse_csv("a,b\n\"x\ny\",1\r\nz,2", "t.csv");
    ASSERT_TRUE(table.ok());
    EXPECT_THAT(table->rows, ElementsAre(ElementsAre("x\ny", "1"), ElementsAre("z", "2")));
    EXPECT_EQ(table->where(1), "t.csv:4");
    EXPECT_EQ(table->column("b"), 1);
    EXPECT_EQ(table->column("c"), -1);
}

TEST(CsvReader, what_is_no_table_is_refused_with_its_line) {
    for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
             {"", "t.csv: is empty"},
             {"a,b\n1\n", "t.csv:2: has 1 cells; the header has 2"},
             {"a,a\n", "t.csv:1: the head 'a'"},
             {"a\n\"x", "t.csv:2: a quote is out of place"},
             {"a\nx\"y\n", "t.csv:2: a quote is out of place"},
             {"a\n\"x\"y\n", "t.csv:2: a quote is out of place"}}) {
        const auto table = parse_csv(text, "t.csv");
        ASSERT_FALSE(table.ok()) << text;
        EXPECT_THAT(table.error().message(), testing::StartsWith(message));
    }
}

}  // namespace
}  // namespace memside
