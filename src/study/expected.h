// Compares a run with the figures that an earlier run of ours gave: a regression test, which says
// nothing about whether the figures are right.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "study/csv_reader.h"

namespace memside {

// One line per difference: "context 128K, system a100x2-pnm8: batch is 95, expected 96". Rows are
// matched by their first `keys` columns. Numbers may differ by `relative` of the expected one,
// texts and missing cells not at all. `whole`: every expected row must be there.
std::vector<std::string> differences(const CsvTable& ours, const CsvTable& expected,
                                     std::size_t keys, double relative, bool whole);

}  // namespace memside
