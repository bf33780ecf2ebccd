#include "study/expected.h"

namespace memside {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CsvTable table(const std::string& text) {
    return *parse_csv("context,system,batch,tok,reason\n" + text, "t.csv");
}

const CsvTable expected = table("128K,a,96,467.25,\n128K,b,0,,too small\n256K,a,1,0,\n");

TEST(Expected, equal_tables_agree_in_any_order_of_rows) {
    const CsvTable ours = table("256K,a,1,0,\n128K,b,0,,too small\n128K,a,96,467.25,\n");
    EXPECT_THAT(differences(ours, expected, 2, 0.0, true), IsEmpty());
}

TEST(Expected, a_number_may_differ_by_the_tolerance_and_no_more) {
    const auto off = [](const std::string& value) {
        return differences(table("128K,a,96," + value + ",\n"), expected, 2, 0.001, false);
    };
    EXPECT_THAT(off("467.7"), IsEmpty());
    EXPECT_THAT(off("467.8"), ElementsAre("context 128K, system a: tok is 467.8, expected 467.25, "
                                          "+0.118 % off"));
    EXPECT_THAT(off("466.7"), ElementsAre(HasSubstr("-0.118 % off")));
    EXPECT_THAT(off(""), ElementsAre(HasSubstr("tok is '', expected '467.25'")));
    EXPECT_THAT(off("nan"), ElementsAre(HasSubstr("tok is 'nan'")));
}

TEST(Expected, texts_and_zeros_must_be_equal) {
    EXPECT_THAT(differences(table("128K,b,0,,too large\n"), expected, 2, 0.1, false),
                ElementsAre(HasSubstr("reason is 'too large', expected 'too small'")));
    EXPECT_THAT(differences(table("256K,a,1,0.001,\n"), expected, 2, 0.1, false),
                ElementsAre(HasSubstr("tok is 0.001, expected 0")));
}

TEST(Expected, rows_that_are_missing_or_new_are_differences) {
    const CsvTable some = table("128K,a,96,467.25,\n");
    EXPECT_THAT(differences(some, expected, 2, 0.0, false), IsEmpty());
    EXPECT_THAT(differences(some, expected, 2, 0.0, true),
                ElementsAre("2 of 3 expected rows are missing"));
    EXPECT_THAT(differences(table("1M,a,1,1,\n"), expected, 2, 0.0, false),
                ElementsAre("context 1M, system a: is not expected"));
}

TEST(Expected, other_columns_are_a_difference) {
    const auto ours = parse_csv("context,system\n", "t.csv");
    EXPECT_THAT(differences(*ours, expected, 2, 0.0, false),
                ElementsAre(HasSubstr("the columns are context,system, expected")));
}

}  // namespace
}  // namespace memside
