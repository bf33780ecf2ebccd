// Reads tables that csv_line() of report/ wrote, or that a person did: RFC 4180, a header line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside {

struct CsvTable {
    std::string file;
    std::vector<std::string> heads;
    std::vector<std::vector<std::string>> rows;  // each as long as heads
    std::vector<int> lines;                      // of the rows, 1-based

    std::string where(std::size_t row) const;  // "stated.csv:7"
    // Index of a column, or -1.
    int column(std::string_view head) const;
};

// bad_input for a missing or repeated head, a row of another length, and a quote out of place.
Result<CsvTable> parse_csv(std::string_view text, const std::string& file);
Result<CsvTable> read_csv(const std::string& path);

}  // namespace memside
