#include "engine/stop_text.h"

#include <rapidcheck/gtest.h>

namespace memside::engine {
namespace {

TEST(StopText, what_may_begin_a_stop_string_is_held_back) {
    StopText text({"END"});
    EXPECT_EQ(text.push("one E"), "one ");
    EXPECT_EQ(text.push("N"), "");
    EXPECT_EQ(text.push("T two"), "ENT two");
    EXPECT_EQ(text.push(" EN"), " ");
    EXPECT_EQ(text.finish(), "EN");
    EXPECT_FALSE(text.stopped());
}

TEST(StopText, text_ends_before_the_first_stop_string) {
    StopText text({"\n\n", "stop"});
    EXPECT_EQ(text.push("a\nb st"), "a\nb ");
    EXPECT_EQ(text.push("op\n\nc"), "");
    EXPECT_TRUE(text.stopped());
    EXPECT_EQ(text.push("more"), "");
}

RC_GTEST_PROP(StopText, pieces_in_any_cut_give_the_text_before_the_first_stop_string, ()) {
    const auto letters = [](int longest) {
        const auto letter = rc::gen::element('a', 'b', 'c');
        return rc::gen::resize(longest, rc::gen::nonEmpty(rc::gen::container<std::string>(letter)));
    };
    const std::string whole = *letters(40);
    const std::vector<std::string> stops{*letters(4), *letters(4)};
    StopText text(stops);
    std::string shown;
    for (std::size_t at = 0; at < whole.size();) {
        const auto count = static_cast<std::size_t>(*rc::gen::inRange(1, 6));
        shown += text.push(std::string_view(whole).substr(at, count));
        at += count;
    }
    shown += text.finish();
    // Byte by byte: the first prefix that ends in a stop string, less the longest such string.
    std::string expected = whole;
    bool stopped = false;
    for (std::size_t length = 1; length <= whole.size() && !stopped; ++length) {
        for (const std::string& stop : stops) {
            const std::string prefix = whole.substr(0, length);
            if (!prefix.ends_with(stop)) continue;
            stopped = true;
            expected = std::min(expected, prefix.substr(0, length - stop.size()),
                                [](const auto& a, const auto& b) { return a.size() < b.size(); });
        }
    }
    RC_ASSERT(shown == expected);
    RC_ASSERT(text.stopped() == stopped);
}

}  // namespace
}  // namespace memside::engine
