#include "base/number.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

TEST(Tokens, k_and_m_are_powers_of_two) {
    EXPECT_EQ(*parse_tokens("128K", "--context"), 131072);
    EXPECT_EQ(*parse_tokens("1M", "--context"), 1048576);
    EXPECT_EQ(*parse_tokens("1G", "--context"), 1073741824);
    EXPECT_EQ(*parse_tokens("131072", "--context"), 131072);
}

TEST(Tokens, what_is_not_a_positive_count_is_refused_with_the_allowed_form) {
    for (const char* text : {"", "0", "-5", "K", "1.5K", "12Q", "99999999999999999999", "2G",
                             "1025M", " 1", "1 ", "+1", "0x10", "1k"}) {
        const auto result = parse_tokens(text, "--context");
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_THAT(result.error().message(), testing::HasSubstr("--context: '"));
        EXPECT_THAT(result.error().message(), testing::HasSubstr("allowed: 1 to 1G"));
        EXPECT_EQ(result.error().exit_status(), 2);
    }
}

RC_GTEST_PROP(Tokens, what_is_formatted_parses_back, ()) {
    const auto tokens = *rc::gen::inRange<std::int64_t>(1, max_tokens + 1);
    RC_ASSERT(*parse_tokens(format_tokens(tokens), "x") == tokens);
}

TEST(Integer, the_message_names_the_range) {
    const auto result = parse_integer("70000", 1, 65536, "--page-size");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message(),
              "--page-size: '70000' is out of range; allowed: 1 to 65536");
}

TEST(Integer, both_ends_of_the_range_are_allowed_and_nothing_beside_a_number) {
    EXPECT_EQ(*parse_integer("1", 1, 65536, "x"), 1);
    EXPECT_EQ(*parse_integer("65536", 1, 65536, "x"), 65536);
    EXPECT_EQ(*parse_integer("-3", -3, 3, "x"), -3);
    for (const char* text : {"", "0", "65537", "99999999999999999999", "-99999999999999999999"}) {
        EXPECT_FALSE(parse_integer(text, 1, 65536, "x").ok()) << text;
    }
    for (const char* text : {" 1", "1 ", "+1", "1.0", "1e3", "0x10", "1K", "one"}) {
        const auto result = parse_integer(text, 1, 65536, "x");
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_THAT(result.error().message(), testing::HasSubstr("is not an integer")) << text;
    }
}

TEST(Bytes, sizes_are_read_with_and_without_a_suffix) {
    EXPECT_EQ(*parse_bytes("1073741824", "--kv-pool"), 1073741824);
    EXPECT_EQ(*parse_bytes("512MiB", "--kv-pool"), 512 * 1048576);
    EXPECT_EQ(*parse_bytes("4G", "--kv-pool"), 4294967296);
    EXPECT_EQ(*parse_bytes("1TiB", "--kv-pool"), 1099511627776);
    for (const char* text : {"", "0", "-1", "4GB", "iB", "5iB", "GiB", "1.5G", "1025T", "4 G"}) {
        const auto result = parse_bytes(text, "--kv-pool");
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_THAT(result.error().message(),
                    testing::HasSubstr("allowed: 1 to 1024T bytes, such as 1073741824"))
            << text;
        EXPECT_EQ(result.error().exit_status(), 2);
    }
}

TEST(Bytes, gib_are_powers_of_two) {
    EXPECT_EQ(format_bytes(42949672960.0), "40 GiB");
    EXPECT_EQ(format_bytes(1536), "1.5 KiB");
    EXPECT_EQ(format_bytes(519.75 * 1024 * 1024 * 1024), "519.75 GiB");
    EXPECT_EQ(format_bytes(0.0), "0 B");
    EXPECT_EQ(format_bytes(1024.0 * 1024 - 0.1), "1 MiB");  // 1,023.9999 KiB
}

TEST(Seconds, the_unit_follows_the_size) {
    EXPECT_EQ(format_seconds(0.0123), "12.3 ms");
    EXPECT_EQ(format_seconds(2.5), "2.5 s");
    EXPECT_EQ(format_seconds(0.0), "0 s");
    EXPECT_EQ(format_seconds(600e-9), "600 ns");
    EXPECT_EQ(format_seconds(1.5e-12), "0.0015 ns");
}

TEST(Seconds, rounding_never_gives_a_thousand_of_a_unit_or_an_exponent) {
    EXPECT_EQ(format_seconds(0.9994), "999 ms");
    EXPECT_EQ(format_seconds(0.9997), "1 s");
    EXPECT_EQ(format_seconds(999.7e-9), "1 us");
    EXPECT_EQ(format_seconds(999.4), "999 s");
    EXPECT_EQ(format_seconds(86400.0), "86400 s");
    EXPECT_EQ(format_seconds(-0.0123), "-12.3 ms");
}

}  // namespace
}  // namespace memside
