#include "base/quantity.h"

#include <charconv>
#include <cmath>

#include "base/text.h"

namespace memside {
namespace {

struct Unit {
    Dimension dimension;
    const char* name;
    double scale;  // to the SI unit
};

constexpr double kib = 1024.0;

// The customary unit of each dimension comes first: it is the one that messages propose.
constexpr Unit units[] = {
    {Dimension::bytes, "GB", 1e9},
    {Dimension::bytes, "B", 1.0},
    {Dimension::bytes, "KB", 1e3},
    {Dimension::bytes, "MB", 1e6},
    {Dimension::bytes, "TB", 1e12},
    {Dimension::bytes, "KiB", kib},
    {Dimension::bytes, "MiB", kib* kib},
    {Dimension::bytes, "GiB", kib* kib* kib},
    {Dimension::bytes, "TiB", kib* kib* kib* kib},
    {Dimension::bytes_per_second, "GB/s", 1e9},
    {Dimension::bytes_per_second, "B/s", 1.0},
    {Dimension::bytes_per_second, "MB/s", 1e6},
    {Dimension::bytes_per_second, "TB/s", 1e12},
    {Dimension::bytes_per_second, "GiB/s", kib* kib* kib},
    {Dimension::bytes_per_second, "TiB/s", kib* kib* kib* kib},
    {Dimension::seconds, "ns", 1e-9},
    {Dimension::seconds, "us", 1e-6},
    {Dimension::seconds, "ms", 1e-3},
    {Dimension::seconds, "s", 1.0},
    {Dimension::hertz, "GHz", 1e9},
    {Dimension::hertz, "MHz", 1e6},
    {Dimension::hertz, "Hz", 1.0},
    {Dimension::flop_per_second, "TFLOP/s", 1e12},
    {Dimension::flop_per_second, "GFLOP/s", 1e9},
    {Dimension::flop_per_second, "PFLOP/s", 1e15},
    {Dimension::watts, "W", 1.0},
    {Dimension::watts, "mW", 1e-3},
    {Dimension::watts, "kW", 1e3},
    {Dimension::joules_per_byte, "pJ/bit", 8e-12},
    {Dimension::joules_per_byte, "J/B", 1.0},
    {Dimension::joules_per_flop, "pJ/FLOP", 1e-12},
    {Dimension::usd_per_hour, "USD/h", 1.0},
    {Dimension::usd_per_joule, "USD/kWh", 1.0 / 3.6e6},
    {Dimension::ratio, "", 1.0},
    {Dimension::ratio, "%", 0.01},
    {Dimension::count, "", 1.0},
};

std::string expectation(Dimension dimension) {
    if (dimension == Dimension::flag) return "allowed: true, false";
    if (dimension == Dimension::count) return "allowed: a whole number";
    if (dimension == Dimension::ratio) return "allowed: 0 to 1, or a percentage such as 90 %";
    const std::string_view name = dimension_name(dimension);
    const bool vowel = std::string_view("aeiou").find(name.front()) != std::string_view::npos;
    return fmt::format("{} {} is a number with one of the units {}", vowel ? "an" : "a", name,
                       join(unit_names(dimension), ", "));
}

// A rate of zero would make every time that it bounds infinite.
bool divides(Dimension dimension) {
    return dimension == Dimension::bytes_per_second || dimension == Dimension::hertz ||
           dimension == Dimension::flop_per_second;
}

}  // namespace

Result<double> parse_quantity(std::string_view text, Dimension dimension,
                              const std::string& where) {
    const std::string_view body = trim(text);
    const auto refuse = [&](std::string_view why) {
        return bad_input(where,
                         fmt::format("{} {}; {}", in_quotes(text), why, expectation(dimension)));
    };
    if (dimension == Dimension::flag) {
        if (body == "true") return 1.0;
        if (body == "false") return 0.0;
        return refuse("is not a switch");
    }
    double number = 0.0;
    const auto [end, code] = std::from_chars(body.data(), body.data() + body.size(), number);
    if (code == std::errc::result_out_of_range) return refuse("is out of range");
    if (code != std::errc{} || !std::isfinite(number)) return refuse("is not a number");
    const std::string_view unit_text =
        trim(body.substr(static_cast<std::size_t>(end - body.data())));
    const Unit* found = nullptr;
    for (const Unit& unit : units) {
        if (unit.dimension == dimension && unit_text == unit.name) found = &unit;
    }
    if (found == nullptr) {
        return refuse(unit_text.empty() ? "has no unit" : "has the wrong unit");
    }
    const double value = number * found->scale;
    if (!std::isfinite(value)) return refuse("is out of range");
    if (std::signbit(value)) return refuse("is negative");
    if (value == 0.0 && divides(dimension)) return refuse("is zero");
    if (dimension == Dimension::ratio && value > 1.0) return refuse("is more than 1");
    if (dimension == Dimension::count && (value != std::floor(value) || value > 1e15)) {
        return refuse("is not a whole number");
    }
    return value;
}

std::vector<std::string> unit_names(Dimension dimension) {
    std::vector<std::string> names;
    for (const Unit& unit : units) {
        if (unit.dimension == dimension && *unit.name != '\0') names.emplace_back(unit.name);
    }
    return names;
}

std::string_view dimension_name(Dimension dimension) {
    switch (dimension) {
        case Dimension::bytes:
            return "size";
        case Dimension::bytes_per_second:
            return "bandwidth";
        case Dimension::seconds:
            return "time";
        case Dimension::hertz:
            return "frequency";
        case Dimension::flop_per_second:
            return "compute rate";
        case Dimension::watts:
            return "power";
        case Dimension::joules_per_byte:
            return "energy per data";
        case Dimension::joules_per_flop:
            return "energy per operation";
        case Dimension::usd_per_hour:
            return "price";
        case Dimension::usd_per_joule:
            return "electricity price";
        case Dimension::ratio:
            return "ratio";
        case Dimension::count:
            return "count";
        case Dimension::flag:
            return "switch";
    }
    return "quantity";
}

}  // namespace memside
