#include "base/config.h"

#include <rapidcheck/gtest.h>

#include "base/temp_folder.h"

namespace memside {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string refusal(const std::string& text) {
    const auto result = parse_config(text, "x.yaml");
    EXPECT_FALSE(result.ok()) << text.substr(0, 200);
    if (result.ok()) return "";
    EXPECT_EQ(result.error().exit_status(), 2);
    EXPECT_EQ(result.error().message().find('\n'), std::string::npos);
    return result.error().message();
}

ConfigNode parsed(const std::string& text) {
    auto result = parse_config(text, "x.yaml");
    EXPECT_TRUE(result.ok()) << result.error().message();
    return result.ok() ? std::move(*result) : ConfigNode{};
}

TEST(Config, the_tree_keeps_text_and_document_order) {
    const ConfigNode root = parsed("b: 1.10 TB/s\na: [x, 'true', ~]\n\"\": {}\n");
    ASSERT_EQ(root.fields.size(), 3U);
    EXPECT_EQ(root.fields[0].key, "b");
    EXPECT_EQ(root.fields[0].node.scalar, "1.10 TB/s");
    const ConfigNode* list = root.find("a");
    ASSERT_NE(list, nullptr);
    ASSERT_EQ(list->items.size(), 3U);
    EXPECT_EQ(list->items[1].scalar, "true");
    EXPECT_EQ(list->items[2].kind, ConfigNode::Kind::null);
    EXPECT_TRUE(root.find("")->is_map());
    EXPECT_EQ(root.find("c"), nullptr);
}

TEST(Config, every_node_knows_its_line) {
    const ConfigNode root = parsed(
        "# a comment\n"
        "name: x\n"
        "\n"
        "memory:\n"
        "  bandwidth: 5 GB/s\n"
        "  banks:\n"
        "    - 1\n"
        "    - 2\n"
        "empty:\n"
        "last: {a: 1,\n"
        "       b: 2}\n");
    EXPECT_EQ(root.line, 2);
    EXPECT_EQ(root.find("name")->where(), "x.yaml:2");
    EXPECT_EQ(root.find("memory")->line, 4);
    EXPECT_EQ(root.find("memory")->find("bandwidth")->line, 5);
    EXPECT_EQ(root.find("memory")->find("banks")->items[1].line, 8);
    EXPECT_EQ(root.find("empty")->line, 9);
    EXPECT_EQ(root.find("last")->find("b")->line, 11);
}

TEST(Config, dos_line_ends_and_a_byte_order_mark_are_accepted) {
    const ConfigNode root = parsed("\xef\xbb\xbfname: x\r\nother: y\r\n");
    ASSERT_NE(root.find("name"), nullptr);
    EXPECT_EQ(root.find("name")->scalar, "x");
    EXPECT_EQ(root.find("other")->where(), "x.yaml:2");
}

TEST(Config, an_unknown_key_is_named_with_its_line_and_the_nearest) {
    const ConfigNode root = parsed("name: x\nbandwith: 5 GB/s\n");
    const Status status = expect_keys(root, {"name", "bandwidth"});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().message(),
              "x.yaml:2: unknown key 'bandwith'; did you mean 'bandwidth'?");
    EXPECT_TRUE(expect_keys(root, {"bandwith", "name", "more"}).ok());
    EXPECT_FALSE(expect_keys(*root.find("name"), {"name"}).ok());
}

TEST(Config, a_required_text_must_be_there_and_be_text) {
    const ConfigNode root = parsed("name: x\nlist: [1]\nempty:\n");
    EXPECT_EQ(*required_text(root, "name"), "x");
    EXPECT_EQ(required_text(root, "source").error().message(), "x.yaml:1: key 'source' is missing");
    EXPECT_EQ(required_text(root, "list").error().message(), "x.yaml:2: 'list' must be text");
    EXPECT_FALSE(required_text(root, "empty").ok());
}

TEST(Config, a_duplicate_key_is_refused_at_its_second_line) {
    EXPECT_EQ(refusal("a: 1\nb: 2\na: 3\n"), "x.yaml:3: key 'a' stands twice");
    EXPECT_EQ(refusal("m:\n  a: 1\n  'a': 2\n"), "x.yaml:3: key 'a' stands twice");
    EXPECT_TRUE(parse_config("m: {a: 1}\nn: {a: 1}\n", "x.yaml").ok());
}

TEST(Config, a_syntax_error_names_its_line) {
    EXPECT_THAT(refusal("a: 1\nb: [1, 2\n"), StartsWith("x.yaml:"));
    EXPECT_THAT(refusal("a: 1\nb: 2\n c: 3\n"), StartsWith("x.yaml:3: "));
    EXPECT_THAT(refusal("a: 1\nb: 'open"), StartsWith("x.yaml:2: "));
    EXPECT_THAT(refusal("a: {b: 1}}\n"), StartsWith("x.yaml:1: "));
    EXPECT_THAT(refusal("a: b: c\n"), StartsWith("x.yaml:1: "));
}

TEST(Config, a_tab_as_indentation_is_refused_with_its_line) {
    EXPECT_THAT(refusal("a:\n\tb: 1\n"), StartsWith("x.yaml:"));
    EXPECT_THAT(refusal("a:\n  b: 1\n\tc: 2\n"), StartsWith("x.yaml:"));
}

TEST(Config, an_empty_file_is_refused_and_an_empty_document_is_null) {
    EXPECT_EQ(refusal(""), "x.yaml: is empty");
    EXPECT_EQ(refusal("\n  \n"), "x.yaml: is empty");
    EXPECT_EQ(refusal("# only a comment\n"), "x.yaml: is empty");
    EXPECT_EQ(parsed("---\n").kind, ConfigNode::Kind::null);
}

TEST(Config, a_second_document_is_refused_where_it_begins) {
    EXPECT_THAT(refusal("a: 1\n---\nb: 2\n"), HasSubstr("a second document begins here"));
    EXPECT_THAT(refusal("a: 1\n---\nb: 2\n"), StartsWith("x.yaml:"));
}

TEST(Config, keys_that_are_not_text_are_refused) {
    const std::string message = ": a key must be plain text (or a bracket is not closed)";
    EXPECT_EQ(refusal("{[1, 2]: x}\n"), "x.yaml:1" + message);
    EXPECT_EQ(refusal("a: 1\n? {b: 1}\n: x\n"), "x.yaml:2" + message);
    EXPECT_EQ(refusal("~: x\n"), "x.yaml:1" + message);
    EXPECT_EQ(refusal("{a: 1"), "x.yaml:1" + message);
}

// "Billion laughs": nine levels that each repeat the one before nine times.
TEST(Config, an_alias_bomb_is_refused_at_its_first_alias) {
    std::string bomb = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
    for (int level = 1; level < 10; ++level) {
        const std::string alias = fmt::format("*a{}", level - 1);
        bomb += fmt::format("a{0}: &a{0} [{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}]\n", level,
                            alias);
    }
    EXPECT_EQ(refusal(bomb), "x.yaml:2: an alias (*name) is not supported; repeat the value");
    EXPECT_THAT(refusal("a: &a [*a]\n"), HasSubstr("x.yaml:1: "));
}

TEST(Config, malformed_aliases_end_with_a_message) {
    // yaml-cpp's LoadAll never comes back from this one.
    EXPECT_THAT(refusal("&a,  [*b~, *b]a &a,  [*b~, *b]\n"), StartsWith("x.yaml:"));
    EXPECT_THAT(refusal("a: *gone\n"), StartsWith("x.yaml:1: "));
}

TEST(Config, sixty_four_levels_are_read_and_deeper_nesting_is_refused) {
    const auto nested = [](std::size_t levels) {
        return std::string(levels, '[') + std::string(levels, ']');
    };
    EXPECT_TRUE(parse_config(nested(64), "x.yaml").ok());
    EXPECT_THAT(refusal(nested(65)), HasSubstr("nested deeper than 64 levels"));
    EXPECT_THAT(refusal(nested(100'000)), StartsWith("x.yaml:1: "));
    std::string maps;
    for (std::size_t level = 0; level < 400; ++level) maps += std::string(level, ' ') + "a:\n";
    EXPECT_THAT(refusal(maps), HasSubstr("nested deeper than 64 levels"));
}

TEST(Config, a_hundred_thousand_nodes_are_the_limit) {
    std::string lines;
    for (int i = 0; i < 99'999; ++i) lines += "- x\n";  // and the list itself
    EXPECT_EQ(parsed(lines).items.size(), 99'999U);
    EXPECT_EQ(refusal(lines + "- x\n"), "x.yaml:100000: the document is too large");
}

TEST(Config, binary_content_is_refused_on_one_line) {
    using namespace std::string_literals;
    refusal("\x7f"s + "ELF\x02\x01\x01\0\0\0: [\x90\x90"s);
    // yaml-cpp puts the raw character into its message.
    EXPECT_THAT(refusal("a: \"\\\x01\"\n"), HasSubstr("\\x01"));
}

RC_GTEST_PROP(Config, any_text_gives_a_tree_or_one_line, ()) {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::elementOf(std::string("ab:-[]{},&*!|>'\"%@`#? \n\t\\~.\xef\xbb\xbf")));
    const auto result = parse_config(text, "x.yaml");
    if (!result.ok()) {
        RC_ASSERT(result.error().message().find('\n') == std::string::npos);
    } else {
        RC_ASSERT(result->line >= 1);
    }
}

TEST(ReadConfig, names_the_file_that_it_cannot_read) {
    const TempFolder folder;
    const std::string broken = folder.write("broken.yaml", "a: 1\nb: [\n");
    EXPECT_THAT(read_config(broken).error().message(), StartsWith(broken + ":"));
    EXPECT_EQ(read_config(folder.path("gone.yaml")).error().message(),
              folder.path("gone.yaml") + ": no such file");
    const std::string large = folder.write("large.yaml", std::string((1U << 20) + 1, '#'));
    EXPECT_EQ(read_config(large).error().message(), large + ": is larger than 1048576 bytes");
}

}  // namespace
}  // namespace memside
