// Physical quantities read from text: a number with its unit, checked against the dimension that
// the reader expects. Values are held in SI units (bytes, seconds, watts, ...) as double.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside {

enum class Dimension {
    bytes,             // B, KB, MB, GB, TB (powers of ten); KiB, MiB, GiB, TiB (powers of two)
    bytes_per_second,  // B/s, MB/s, GB/s, TB/s, GiB/s, TiB/s
    seconds,           // s, ms, us, ns
    hertz,             // Hz, MHz, GHz
    flop_per_second,   // GFLOP/s, TFLOP/s, PFLOP/s
    watts,             // W, mW, kW
    joules_per_byte,   // pJ/bit, J/B
    joules_per_flop,   // pJ/FLOP
    usd_per_hour,      // USD/h
    usd_per_joule,     // USD/kWh
    ratio,             // a plain number in [0, 1], or a percentage
    count,             // a plain whole number
    flag,              // true or false
};

// Parses "2039 GB/s", "0.92", "32", "true". `where` is the position for the message. Negative
// values, rates of zero (bandwidth, frequency, compute rate), NaN and infinity are refused.
Result<double> parse_quantity(std::string_view text, Dimension dimension, const std::string& where);

// The units that parse_quantity accepts for a dimension, the customary one first.
std::vector<std::string> unit_names(Dimension dimension);

// "bandwidth", "time", ...: the dimension's name in messages.
std::string_view dimension_name(Dimension dimension);

}  // namespace memside
