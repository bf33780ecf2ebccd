#include "base/quantity.h"

#include <rapidcheck/gtest.h>

namespace memside {
namespace {

using testing::HasSubstr;

constexpr Dimension all_dimensions[] = {
    Dimension::bytes,
    Dimension::bytes_per_second,
    Dimension::seconds,
    Dimension::hertz,
    Dimension::flop_per_second,
    Dimension::watts,
    Dimension::joules_per_byte,
    Dimension::joules_per_flop,
    Dimension::usd_per_hour,
    Dimension::usd_per_joule,
    Dimension::ratio,
    Dimension::count,
    Dimension::flag,
};

double value_of(const char* text, Dimension dimension) {
    const auto result = parse_quantity(text, dimension, "x.yaml:1");
    EXPECT_TRUE(result.ok()) << result.error().message();
    return result.ok() ? *result : -1.0;
}

std::string message_of(const char* text, Dimension dimension) {
    const auto result = parse_quantity(text, dimension, "x.yaml:7");
    EXPECT_FALSE(result.ok()) << text;
    if (result.ok()) return "";
    EXPECT_EQ(result.error().exit_status(), 2);
    return result.error().message();
}

TEST(Quantity, powers_of_ten_and_of_two_are_told_apart) {
    EXPECT_DOUBLE_EQ(value_of("80 GB", Dimension::bytes), 80'000'000'000.0);
    EXPECT_DOUBLE_EQ(value_of("512 GiB", Dimension::bytes), 549'755'813'888.0);
    EXPECT_DOUBLE_EQ(value_of("1 KiB", Dimension::bytes), 1024.0);
    EXPECT_DOUBLE_EQ(value_of("3 MiB", Dimension::bytes), 3'145'728.0);
    EXPECT_DOUBLE_EQ(value_of("2 TiB", Dimension::bytes), 2'199'023'255'552.0);
    EXPECT_DOUBLE_EQ(value_of("1 GiB/s", Dimension::bytes_per_second), 1'073'741'824.0);
    EXPECT_DOUBLE_EQ(value_of("1 TiB/s", Dimension::bytes_per_second), 1'099'511'627'776.0);
}

TEST(Quantity, every_unit_is_scaled_to_si) {
    EXPECT_DOUBLE_EQ(value_of("1.1 TB/s", Dimension::bytes_per_second), 1.1e12);
    EXPECT_DOUBLE_EQ(value_of("600 ns", Dimension::seconds), 600e-9);
    EXPECT_DOUBLE_EQ(value_of("5 us", Dimension::seconds), 5e-6);
    EXPECT_DOUBLE_EQ(value_of("2 ms", Dimension::seconds), 2e-3);
    EXPECT_DOUBLE_EQ(value_of("1.41 GHz", Dimension::hertz), 1.41e9);
    EXPECT_DOUBLE_EQ(value_of("312 TFLOP/s", Dimension::flop_per_second), 312e12);
    EXPECT_DOUBLE_EQ(value_of("1 PFLOP/s", Dimension::flop_per_second), 1e15);
    EXPECT_DOUBLE_EQ(value_of("400 W", Dimension::watts), 400.0);
    EXPECT_DOUBLE_EQ(value_of("250 mW", Dimension::watts), 0.25);
    EXPECT_DOUBLE_EQ(value_of("0.761 USD/h", Dimension::usd_per_hour), 0.761);
}

// 4 pJ for a bit is 32 pJ for a byte; 0.36 USD per kWh is 0.36 USD for 3.6 MJ.
TEST(Quantity, energy_per_bit_and_price_per_kilowatt_hour_are_converted) {
    EXPECT_DOUBLE_EQ(value_of("4 pJ/bit", Dimension::joules_per_byte), 32e-12);
    EXPECT_DOUBLE_EQ(value_of("0.5 pJ/FLOP", Dimension::joules_per_flop), 0.5e-12);
    EXPECT_DOUBLE_EQ(value_of("0.36 USD/kWh", Dimension::usd_per_joule), 1e-7);
}

TEST(Quantity, a_ratio_is_plain_or_a_percentage) {
    EXPECT_DOUBLE_EQ(value_of("0.92", Dimension::ratio), 0.92);
    EXPECT_DOUBLE_EQ(value_of("92 %", Dimension::ratio), 0.92);
    EXPECT_DOUBLE_EQ(value_of("92%", Dimension::ratio), 0.92);
    EXPECT_DOUBLE_EQ(value_of("0", Dimension::ratio), 0.0);
    EXPECT_DOUBLE_EQ(value_of("100 %", Dimension::ratio), 1.0);
}

TEST(Quantity, a_flag_is_true_or_false) {
    EXPECT_EQ(value_of("true", Dimension::flag), 1.0);
    EXPECT_EQ(value_of(" false ", Dimension::flag), 0.0);
    EXPECT_EQ(message_of("yes", Dimension::flag),
              "x.yaml:7: 'yes' is not a switch; allowed: true, false");
}

TEST(Quantity, the_blank_before_the_unit_is_optional) {
    EXPECT_EQ(value_of("80GB", Dimension::bytes), 80e9);
    EXPECT_EQ(value_of(" 80   GB ", Dimension::bytes), 80e9);
}

TEST(Quantity, a_wrong_or_missing_unit_lists_the_right_ones) {
    EXPECT_EQ(message_of("5 GB", Dimension::seconds),
              "x.yaml:7: '5 GB' has the wrong unit; a time is a number with one of the units ns, "
              "us, ms, s");
    EXPECT_THAT(message_of("2039", Dimension::bytes_per_second),
                HasSubstr("'2039' has no unit; a bandwidth is"));
    EXPECT_THAT(message_of("1 USD", Dimension::usd_per_joule),
                HasSubstr("an electricity price is"));
    EXPECT_THAT(message_of("1 gb", Dimension::bytes), HasSubstr("wrong unit"));
    EXPECT_THAT(message_of("1 GB/s", Dimension::bytes), HasSubstr("wrong unit"));
    EXPECT_THAT(message_of("1 GB GB", Dimension::bytes), HasSubstr("wrong unit"));
    EXPECT_THAT(message_of("0x10 B", Dimension::bytes), HasSubstr("wrong unit"));
    EXPECT_THAT(message_of("3 GB", Dimension::count), HasSubstr("allowed: a whole number"));
}

TEST(Quantity, what_is_no_finite_number_is_refused) {
    for (const char* text :
         {"", " ", "GB", "nan GB", "inf GB", "-inf GB", "+5 GB", ".", "- 5 GB"}) {
        EXPECT_THAT(message_of(text, Dimension::bytes), HasSubstr("is not a number")) << text;
    }
    for (const char* text : {"1e999 GB", "1e300 TB", "1e-999 GB"}) {
        EXPECT_THAT(message_of(text, Dimension::bytes_per_second), Not(HasSubstr("is zero")));
    }
    EXPECT_THAT(message_of("1e999 GB", Dimension::bytes), HasSubstr("is out of range"));
    EXPECT_THAT(message_of("1e300 TB", Dimension::bytes), HasSubstr("is out of range"));
}

TEST(Quantity, negative_values_are_refused_even_negative_zero) {
    EXPECT_THAT(message_of("-5 GB", Dimension::bytes), HasSubstr("'-5 GB' is negative"));
    EXPECT_THAT(message_of("-0.0 W", Dimension::watts), HasSubstr("is negative"));
    EXPECT_THAT(message_of("-1", Dimension::count), HasSubstr("is negative"));
}

TEST(Quantity, a_rate_of_zero_is_refused_and_a_price_of_zero_is_not) {
    EXPECT_THAT(message_of("0 GB/s", Dimension::bytes_per_second), HasSubstr("is zero"));
    EXPECT_THAT(message_of("0 GHz", Dimension::hertz), HasSubstr("is zero"));
    EXPECT_THAT(message_of("0.0 TFLOP/s", Dimension::flop_per_second), HasSubstr("is zero"));
    EXPECT_EQ(value_of("0 USD/h", Dimension::usd_per_hour), 0.0);
    EXPECT_EQ(value_of("0 ns", Dimension::seconds), 0.0);
}

TEST(Quantity, a_ratio_over_one_and_a_broken_count_are_refused) {
    EXPECT_EQ(message_of("1.5", Dimension::ratio),
              "x.yaml:7: '1.5' is more than 1; allowed: 0 to 1, or a percentage such as 90 %");
    EXPECT_THAT(message_of("101 %", Dimension::ratio), HasSubstr("is more than 1"));
    EXPECT_THAT(message_of("2.5", Dimension::count), HasSubstr("is not a whole number"));
    EXPECT_THAT(message_of("1e16", Dimension::count), HasSubstr("is not a whole number"));
}

TEST(Quantity, every_dimension_has_a_name_and_the_message_proposes_its_units) {
    for (const Dimension dimension : all_dimensions) {
        EXPECT_NE(dimension_name(dimension), "quantity");
        const std::string message = message_of("nonsense", dimension);
        for (const std::string& unit : unit_names(dimension)) {
            if (dimension == Dimension::ratio) continue;  // shown as an example: 90 %
            EXPECT_THAT(message, HasSubstr(unit));
        }
    }
}

// The scale of a unit is whatever 1 of it parses to; n of it must then be n times that.
RC_GTEST_PROP(Quantity, every_unit_of_every_dimension_parses_in_proportion, ()) {
    const auto dimension = *rc::gen::elementOf(
        std::vector<Dimension>(std::begin(all_dimensions), std::end(all_dimensions)));
    RC_PRE(!unit_names(dimension).empty());
    const std::string unit = *rc::gen::elementOf(unit_names(dimension));
    const auto number = *rc::gen::inRange(1, 101);
    const auto one = parse_quantity("1 " + unit, dimension, "x");
    const auto many = parse_quantity(std::to_string(number) + " " + unit, dimension, "x");
    RC_ASSERT(one.ok());
    RC_ASSERT(many.ok());
    RC_ASSERT(*one > 0.0);
    RC_ASSERT(std::abs(*many / *one - number) < 1e-9 * number);
}

RC_GTEST_PROP(Quantity, any_text_gives_a_value_or_one_line, (const std::string& text)) {
    for (const Dimension dimension : all_dimensions) {
        const auto result = parse_quantity(text, dimension, "x");
        if (result.ok()) {
            RC_ASSERT(*result >= 0.0);
        } else {
            RC_ASSERT(result.error().message().find('\n') == std::string::npos);
        }
    }
}

}  // namespace
}  // namespace memside
