#include "report/text_table.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

constexpr auto left = TextTable::Align::left;
constexpr auto right = TextTable::Align::right;

TEST(Wrapped, breaks_at_blanks_then_hyphens_then_anywhere) {
    EXPECT_THAT(wrapped("one two three", 7), testing::ElementsAre("one two", "three"));
    EXPECT_THAT(wrapped("rack-2x8a100", 8), testing::ElementsAre("rack-", "2x8a100"));
    EXPECT_THAT(wrapped("abcdefgh", 3), testing::ElementsAre("abc", "def", "gh"));
    EXPECT_THAT(wrapped("", 3), testing::ElementsAre(""));
    EXPECT_THAT(wrapped("ééé ééé", 3), testing::ElementsAre("ééé", "ééé"));
}

RC_GTEST_PROP(Wrapped, no_line_is_too_wide_and_no_letter_is_lost, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '-', ' ', 'c'));
    const int width = *rc::gen::inRange(1, 12);
    std::string joined;
    for (const std::string& line : wrapped(text, width)) {
        RC_ASSERT(display_width(line) <= width);
        joined += line;
    }
    const auto letters = [](std::string s) {
        std::erase(s, ' ');
        return s;
    };
    RC_ASSERT(letters(joined) == letters(text));
}

TEST(TextTable, columns_align_and_lines_have_no_trailing_blanks) {
    TextTable table({left, right, left});
    table.add({{"name"}, {"n"}, {"note"}});
    table.add({{"long name"}, {"12"}, {""}});
    EXPECT_EQ(table.render(80, 2, false),
              "  name        n  note\n"
              "  long name  12\n");
}

TEST(TextTable, a_short_row_runs_on_to_the_right_end) {
    TextTable table({left, right, right});
    table.add({{"a"}, {"1"}, {"2"}});
    table.add({{"b"}, {"nothing fits here"}});
    EXPECT_EQ(table.render(16, 0, false),
              "a  1  2\n"
              "b  nothing fits\n"
              "   here\n");
}

TEST(TextTable, left_columns_shrink_until_it_fits) {
    TextTable table({left, right});
    table.add({{"a name that is far too long"}, {"123456"}});
    const std::string text = table.render(20, 0, false);
    EXPECT_EQ(text,
              "a name that   123456\n"
              "is far too\n"
              "long\n");
}

TEST(Colour, codes_surround_text_only_when_asked_for) {
    EXPECT_EQ(painted("x", Tone::strong, false), "x");
    EXPECT_EQ(painted("x", Tone::strong, true), "\x1b[1mx\x1b[0m");
    EXPECT_EQ(painted("x", Tone::plain, true), "x");
}

TEST(Printable, a_name_cannot_command_the_terminal) {
    EXPECT_EQ(printable("a\x1b[31m\nb\x7f"), "a?[31m?b?");
    EXPECT_EQ(printable("é字"), "é字");
}

TEST(Sparkline, heights_are_eighths_of_the_full_value) {
    EXPECT_EQ(sparkline({0.0, 1.0, 4.0, 8.0, 9.0}, 8.0), " ▁▄██");
    EXPECT_EQ(sparkline({0.01}, 8.0), "▁");
    EXPECT_EQ(sparkline({}, 8.0), "");
    EXPECT_EQ(sparkline({1.0}, 0.0), "▁");
}

TEST(ShareBar, length_is_the_share_in_eighths) {
    EXPECT_EQ(share_bar(1, 3), "███");
    EXPECT_EQ(share_bar(0.5, 3), "█▌");
    EXPECT_EQ(share_bar(0, 3), "");
    EXPECT_EQ(share_bar(1e-9, 3), "▏");
    EXPECT_EQ(share_bar(7, 2), "██");
}

}  // namespace
}  // namespace memside
