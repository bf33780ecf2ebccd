#include "base/text.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

// The definition, by recursion on the last characters: exponential, and obviously right.
int slow_distance(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return static_cast<int>(a.size() + b.size());
    const auto cut = [](std::string_view s, std::size_t n) { return s.substr(0, s.size() - n); };
    int best = slow_distance(cut(a, 1), cut(b, 1)) + (a.back() == b.back() ? 0 : 1);
    best = std::min(best, slow_distance(cut(a, 1), b) + 1);
    best = std::min(best, slow_distance(a, cut(b, 1)) + 1);
    if (a.size() > 1 && b.size() > 1 && a.back() == b[b.size() - 2] &&
        a[a.size() - 2] == b.back()) {
        best = std::min(best, slow_distance(cut(a, 2), cut(b, 2)) + 1);
    }
    return best;
}

TEST(EditDistance, the_four_edits_cost_one_each) {
    EXPECT_EQ(edit_distance("bandwith", "bandwidth"), 1);  // insertion
    EXPECT_EQ(edit_distance("llamma", "llama"), 1);        // deletion
    EXPECT_EQ(edit_distance("a100x2", "h100x2"), 1);       // substitution
    EXPECT_EQ(edit_distance("poilcy", "policy"), 1);       // transposition
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
    EXPECT_EQ(edit_distance("", "abc"), 3);
    EXPECT_EQ(edit_distance("abc", "abc"), 0);
}

// Few letters and short words, so that repeats and swaps are frequent.
RC_GTEST_PROP(EditDistance, equals_the_recursive_definition, ()) {
    const auto word =
        rc::gen::resize(6, rc::gen::container<std::string>(rc::gen::elementOf(std::string("abc"))));
    const std::string a = *word;
    const std::string b = *word;
    RC_ASSERT(edit_distance(a, b) == slow_distance(a, b));
    RC_ASSERT(edit_distance(a, b) == edit_distance(b, a));
}

TEST(Nearest, a_candidate_within_a_third_of_the_length_is_found) {
    const std::vector<std::string> names{"bandwidth", "capacity", "latency"};
    EXPECT_EQ(nearest("bandwith", names), "bandwidth");
    EXPECT_EQ(nearest("latenyc", names), "latency");
    EXPECT_EQ(nearest("price", names), "");
    EXPECT_EQ(nearest("bandwidth", {}), "");
}

TEST(Nearest, the_first_of_two_equally_near_candidates_wins) {
    EXPECT_EQ(nearest("a100x3", {"a100x2", "a100x4"}), "a100x2");
}

TEST(Nearest, an_absurdly_long_word_has_no_neighbour) {
    const std::string word(100'000, 'x');
    EXPECT_EQ(nearest(word, {word}), "");
}

TEST(Hint, proposes_the_nearest_else_lists_what_is_allowed) {
    EXPECT_EQ(hint("dens", {"dense", "recall"}), "; did you mean 'dense'?");
    EXPECT_EQ(hint("foo", {"dense", "recall"}), "; allowed: dense, recall");
    EXPECT_EQ(hint("foo", {}), "");
}

TEST(Join, puts_the_separator_only_between) {
    EXPECT_EQ(join({}, ", "), "");
    EXPECT_EQ(join({"a"}, ", "), "a");
    EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
}

TEST(Quoted, control_characters_are_escaped) {
    EXPECT_EQ(in_quotes("a\nb"), "'a\\x0ab'");
    EXPECT_EQ(in_quotes(std::string_view("\0\x1b[31m\x7f", 7)), "'\\x00\\x1b[31m\\x7f'");
    EXPECT_EQ(in_quotes(""), "''");
    EXPECT_EQ(in_quotes("größe"), "'größe'");
}

TEST(Quoted, long_text_is_cut_between_characters) {
    EXPECT_EQ(in_quotes("123456", 6), "'123456'");
    EXPECT_EQ(in_quotes("1234567", 6), "'123456...'");
    EXPECT_EQ(in_quotes("12345\u00e9", 6), "'12345...'");       // the limit falls inside the é
    EXPECT_EQ(in_quotes("1234\u00e96", 6), "'1234\u00e9...'");  // and here behind it
    EXPECT_EQ(in_quotes(std::string(100, '\x80'), 6), "'...'");
}

RC_GTEST_PROP(Quoted, is_one_printable_line_of_bounded_length, (const std::string& text)) {
    const std::string shown = in_quotes(text, 10);
    for (const char c : shown) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
    RC_ASSERT(shown.size() <= 10 * 4 + 5);
}

TEST(Trim, strips_blanks_and_tabs_at_both_ends_only) {
    EXPECT_EQ(trim(" \t a b \t"), "a b");
    EXPECT_EQ(trim("a"), "a");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
}

}  // namespace
}  // namespace memside
