#include "study/stated.h"

#include "base/number.h"
#include "base/text.h"

namespace memside {
namespace {

const std::vector<std::string> heads{"experiment", "claim",  "column", "pick",
                                     "where",      "stated", "unit",   "source"};

class RowReader {
  public:
    RowReader(const CsvTable& table, std::size_t row, const Experiment& experiment,
              const ExperimentRun& run)
        : table_(table), row_(row), experiment_(experiment), run_(run) {}

    Result<StatedRow> read() const {
        StatedRow out;
        out.claim = cell("claim");
        out.unit = cell("unit");
        out.source = cell("source");
        if (out.source.empty()) return bad_input(where(), "a stated figure needs its source");
        MEMSIDE_TRY(out.stated, parse_number(cell("stated"), where()));
        MEMSIDE_TRY(const std::size_t pick,
                    parse_choice(cell("pick"), {"largest", "smallest", "only", "mean"}, where()));
        if (pick == 3) {
            MEMSIDE_CHECK(take_mean(out));
            return out;
        }
        MEMSIDE_TRY(const std::size_t column,
                    parse_choice(cell("column"), experiment_.column_names(), where()));
        MEMSIDE_TRY(const Selector selector,
                    Selector::parse(cell("where"), experiment_.set, where()));
        const std::vector<std::size_t> points = selector.in(experiment_.set);
        if (pick == 2 && points.size() != 1) {
            return bad_input(where(), fmt::format("'only' selects {} points", points.size()));
        }
        for (const std::size_t i : points) {
            const std::optional<double> value = run_.columns[column][i];
            if (!value) continue;
            if (out.ours && (pick == 0 ? *value <= *out.ours : *value >= *out.ours)) continue;
            out.ours = value;
            out.ours_at = join(experiment_.set.points[i].swept, ", ");
        }
        return out;
    }

  private:
    std::string where() const { return table_.where(row_); }
    const std::string& cell(std::string_view head) const {
        return table_.rows[row_][static_cast<std::size_t>(table_.column(head))];
    }

    Status take_mean(StatedRow& out) const {
        std::vector<std::string> names;
        for (const Mean& mean : experiment_.means) names.push_back(mean.name);
        MEMSIDE_TRY(const std::size_t m, parse_choice(cell("column"), names, where()));
        if (run_.means.empty()) return {};  // a quick run has none
        out.ours = run_.means[m].value;
        out.ours_at = fmt::format("{} mean of {} points", mean_kind_name(experiment_.means[m].kind),
                                  run_.means[m].count);
        return {};
    }

    const CsvTable& table_;
    std::size_t row_;
    const Experiment& experiment_;
    const ExperimentRun& run_;
};

}  // namespace

Result<std::vector<StatedRow>> stated_beside(const CsvTable& table, const Experiment& experiment,
                                             const ExperimentRun& run) {
    if (table.heads != heads) {
        return bad_input(table.file + ":1", "the columns must be " + join(heads, ","));
    }
    std::vector<StatedRow> rows;
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
        if (table.rows[r].front() != experiment.name) continue;
        MEMSIDE_TRY(StatedRow row, RowReader(table, r, experiment, run).read());
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace memside
