#include "model/json_tree.h"

namespace memside {
namespace {

std::string error_of(std::string_view text) {
    const auto tree = parse_json_tree(text, "x.json");
    EXPECT_FALSE(tree.ok()) << text;
    return tree.ok() ? "" : tree.error().message();
}

TEST(JsonTree, values_keep_their_type_and_the_line_of_their_key) {
    const auto tree =
        parse_json_tree("{\n  \"a\": 1,\n\n  \"b\":\n  [true, \"x\"],\"c\": 2.5}", "f");
    ASSERT_TRUE(tree.ok()) << tree.error().message();
    EXPECT_EQ(tree->find("a")->integer, 1);
    EXPECT_EQ(tree->find("a")->line, 2);
    const JsonNode* list = tree->find("b");
    EXPECT_EQ(list->line, 4);
    EXPECT_EQ(list->kind, JsonNode::Kind::list);
    EXPECT_TRUE(list->items[0].boolean);
    EXPECT_EQ(list->items[1].text, "x");
    EXPECT_EQ(list->items[1].line, 5);
    EXPECT_EQ(tree->find("c")->kind, JsonNode::Kind::real);
    EXPECT_EQ(tree->find("d"), nullptr);
}

TEST(JsonTree, null_counts_as_absent) {
    const auto tree = parse_json_tree(R"({"a": null})", "f");
    EXPECT_EQ(tree->find("a"), nullptr);
}

TEST(JsonTree, integers_beyond_64_bits_are_held_at_the_bounds) {
    const auto tree = parse_json_tree(
        R"([99999999999999999999, -99999999999999999999, 18446744073709551615, 1e3])", "f");
    ASSERT_TRUE(tree.ok());
    EXPECT_EQ(tree->items[0].integer, INT64_MAX);
    EXPECT_EQ(tree->items[0].text, "99999999999999999999");
    EXPECT_EQ(tree->items[1].integer, INT64_MIN);
    EXPECT_EQ(tree->items[2].integer, INT64_MAX);
    EXPECT_EQ(tree->items[3].kind, JsonNode::Kind::real);
}

TEST(JsonTree, errors_give_the_line_and_the_column) {
    EXPECT_EQ(error_of("{\n \"a\": x\n}"), "x.json:2: not valid JSON at column 7, near '\"a\": x'");
    EXPECT_EQ(error_of("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}"),
              "x.json:3: key 'a' is given twice, first on line 1");
    EXPECT_EQ(error_of("[1e999]"), "x.json:1: number '1e999' is out of range");
    EXPECT_THAT(error_of("{} {}"), testing::StartsWith("x.json:1: not valid JSON at column 4"));
}

TEST(JsonTree, every_truncation_says_that_the_text_ends_too_early) {
    const std::string whole = "{\n\"a\": [1, {\"b\": \"c\\n\"}],\n\"d\": tru\x65}";
    ASSERT_TRUE(parse_json_tree(whole, "f").ok());
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_THAT(error_of(whole.substr(0, n)), testing::HasSubstr("ends too early")) << n;
    }
}

TEST(JsonTree, deep_nesting_is_refused_without_recursion) {
    EXPECT_TRUE(parse_json_tree(std::string(64, '[') + std::string(64, ']'), "f").ok());
    EXPECT_EQ(error_of(std::string(1'000'000, '[')), "x.json:1: nested deeper than 64 levels");
    std::string objects;
    for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
    EXPECT_EQ(error_of(objects), "x.json:1: nested deeper than 64 levels");
}

TEST(JsonTree, the_number_of_values_is_bounded) {
    std::string many = "[0";
    for (int i = 0; i < 100'000; ++i) many += ",0";
    EXPECT_EQ(error_of(many + "]"), "x.json:1: more than 100000 values");
}

TEST(JsonTree, bytes_that_are_not_text_give_one_printable_line) {
    for (const std::string& text : {std::string("\0", 1), std::string("\xff\xfe{"),
                                    std::string("{\"a\xc3\": 1}"), std::string("{\"a\n\": 1}")}) {
        const std::string message = error_of(text);
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
        EXPECT_EQ(message.find('\0'), std::string::npos);
    }
}

}  // namespace
}  // namespace memside
