#include "report/json_writer.h"

#include <fmt/format.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

namespace memside {
namespace {

TEST(JsonWriter, members_stand_on_lines_and_rows_on_one) {
    JsonWriter json;
    json.begin_object();
    json.member("name", "x");
    json.key("rows");
    json.begin_array();
    json.begin_object(JsonWriter::Layout::one_line);
    json.member("a", std::int64_t{1});
    json.key("b");
    json.begin_array();
    json.value(0.5);
    json.null();
    json.end_array();
    json.end_object();
    json.end_array();
    json.key("none");
    json.begin_array();
    json.end_array();
    json.member("flag", true);
    json.end_object();
    EXPECT_EQ(std::move(json).finish(),
              "{\n"
              "  \"name\": \"x\",\n"
              "  \"rows\": [\n"
              "    {\"a\": 1, \"b\": [0.5, null]}\n"
              "  ],\n"
              "  \"none\": [],\n"
              "  \"flag\": true\n"
              "}\n");
}

TEST(JsonWriter, doubles_have_their_shortest_form) {
    EXPECT_EQ(shortest(0.1), "0.1");
    EXPECT_EQ(shortest(3.0), "3");
    EXPECT_EQ(shortest(0.1 + 0.2), "0.30000000000000004");
    EXPECT_EQ(shortest(1e22), "1e+22");
    EXPECT_EQ(shortest(5e-324), "5e-324");
}

// The slow reference for "shortest": no %.Ng with fewer digits reads back to the same bits.
RC_GTEST_PROP(JsonWriter, doubles_read_back_exactly_and_no_shorter_form_does, ()) {
    const auto bits = *rc::gen::arbitrary<std::uint64_t>();
    double number;
    std::memcpy(&number, &bits, sizeof number);
    RC_PRE(std::isfinite(number));
    const std::string text = shortest(number);
    RC_ASSERT(std::strtod(text.c_str(), nullptr) == number);
    RC_ASSERT(nlohmann::json::parse(text).get<double>() == number);
    const auto digits_of = [](const std::string& form) {
        const std::string mantissa = form.substr(0, form.find('e'));
        return std::count_if(mantissa.begin(), mantissa.end(),
                             [](char c) { return c >= '0' && c <= '9'; });
    };
    for (int digits = 1; digits < static_cast<int>(digits_of(text)); ++digits) {
        const std::string shorter = fmt::format("{:.{}e}", number, digits - 1);
        // A fixed form may carry zeros that hold its place: only compare what is not one.
        if (text.find('e') == std::string::npos) break;
        RC_ASSERT(std::strtod(shorter.c_str(), nullptr) != number);
    }
}

TEST(JsonWriter, invalid_utf8_becomes_valid_json) {
    JsonWriter json;
    json.begin_array(JsonWriter::Layout::one_line);
    json.value(std::string("a\xff\xc3"));
    json.end_array();
    const std::string text = std::move(json).finish();
    EXPECT_EQ(nlohmann::json::parse(text)[0], "a\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace memside
