// Places and data of the charts in xy_charts.h and span_charts.h. Internal to report/.
#pragma once

#include <string>

#include "report/json_writer.h"
#include "report/span_charts.h"
#include "report/xy_charts.h"

namespace memside::html {

// The chart's place in the page, described in words for who cannot see it.
std::string figure_of(const XyChart& chart);
std::string figure_of(const SpanChart& chart);

// The data that page/curves.js draws from.
void write_chart(JsonWriter& json, const XyChart& chart);
void write_chart(JsonWriter& json, const SpanChart& chart);

}  // namespace memside::html
