#include "report/csv.h"

#include "report/fields.h"
#include "report/json_writer.h"

namespace memside {
namespace {

std::string cell(const std::string& text) {
    return text;
}
std::string cell(std::int64_t number) {
    return fmt::format("{}", number);
}
std::string cell(double number) {
    return shortest(number);
}

template <typename T>
std::string cell(const std::optional<T>& maybe) {
    return maybe ? cell(*maybe) : "";
}

std::string quoted_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + '"';
}

}  // namespace

std::vector<std::string> csv_columns() {
    std::vector<std::string> columns{"version"};
    for (const ScalarField& field : scalar_fields()) columns.emplace_back(field.key);
    columns.emplace_back("seed");
    columns.emplace_back("reason");
    return columns;
}

std::vector<std::string> csv_cells(const SimulationResult& result) {
    std::vector<std::string> cells{MEMSIDE_VERSION};
    for (const ScalarField& field : scalar_fields()) {
        if (const auto mean = shown_mean(field, result)) {
            cells.push_back(cell(*mean));
            continue;
        }
        cells.push_back(
            std::visit([&](auto member) { return cell(result.*member); }, field.member));
    }
    cells.push_back(fmt::format("{}", result.seed));
    cells.push_back(result.reason);
    return cells;
}

std::string csv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i > 0) line += ',';
        line += quoted_cell(cells[i]);
    }
    return line + '\n';
}

std::string to_csv(const std::vector<SimulationResult>& results) {
    std::string csv = csv_line(csv_columns());
    for (const SimulationResult& result : results) csv += csv_line(csv_cells(result));
    return csv;
}

}  // namespace memside
