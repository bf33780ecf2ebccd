#include "study/sweep.h"

#include "report/csv.h"

namespace memside {

std::string sweep_csv(const PointSet& set, const std::vector<SimulationResult>& results) {
    const std::vector<std::string> all = csv_columns();
    std::vector<std::string> heads;
    for (const std::string& key : set.keys) heads.push_back(column_name(key));
    // Columns of the result that no swept key stands for.
    std::vector<std::size_t> rest;
    for (std::size_t c = 0; c < all.size(); ++c) {
        if (std::find(heads.begin(), heads.end(), all[c]) == heads.end()) rest.push_back(c);
    }
    std::vector<std::string> line = heads;
    for (const std::size_t c : rest) line.push_back(all[c]);
    std::string csv = csv_line(line);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const std::vector<std::string> cells = csv_cells(results[i]);
        line = set.points[i].swept;
        for (std::size_t k = 0; k < line.size(); ++k) {
            if (heads[k] == "batch") line[k] = std::to_string(results[i].batch);
        }
        for (const std::size_t c : rest) line.push_back(cells[c]);
        csv += csv_line(line);
    }
    return csv;
}

}  // namespace memside
