// The middle of measured values.
#pragma once

#include <vector>

namespace memside {

// Of at least one number; of an even count, the mean of the two in the middle.
double median(std::vector<double> values);

}  // namespace memside
