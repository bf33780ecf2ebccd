#include "study/csv_reader.h"

#include <set>

#include "base/file.h"
#include "base/text.h"

namespace memside {
namespace {

constexpr std::size_t max_csv_bytes = std::size_t{64} << 20;

class CsvParser {
  public:
    CsvParser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    bool at_end() const { return at_ == text_.size(); }
    int line() const { return line_; }

    Result<std::vector<std::string>> record() {
        std::vector<std::string> cells;
        for (;;) {
            MEMSIDE_TRY(std::string cell, take_cell());
            cells.push_back(std::move(cell));
            if (at_end()) return cells;
            const char c = text_[at_++];
            if (c == ',') continue;
            if (c == '\r' && !at_end() && text_[at_] == '\n') ++at_;
            ++line_;
            return cells;
        }
    }

  private:
    Result<std::string> take_cell() {
        if (at_end() || text_[at_] != '"') {
            const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
            std::string cell(text_.substr(at_, end - at_));
            at_ = end;
            if (cell.find('"') != std::string::npos) return misplaced();
            return cell;
        }
        ++at_;
        std::string cell;
        for (;;) {
            const std::size_t quote = text_.find('"', at_);
            if (quote == std::string_view::npos) return misplaced();
            const std::string_view part = text_.substr(at_, quote - at_);
            line_ += static_cast<int>(std::count(part.begin(), part.end(), '\n'));
            cell += part;
            at_ = quote + 1;
            if (at_end() || text_[at_] != '"') break;
            cell += '"';
            ++at_;
        }
        if (!at_end() && text_[at_] != ',' && text_[at_] != '\r' && text_[at_] != '\n') {
            return misplaced();
        }
        return cell;
    }

    Error misplaced() const {
        return bad_input(fmt::format("{}:{}", file_, line_),
                         "a quote is out of place; a cell with quotes stands in quotes, and each "
                         "of its own is doubled");
    }

    std::string_view text_;
    const std::string& file_;
    std::size_t at_ = 0;
    int line_ = 1;
};

}  // namespace

std::string CsvTable::where(std::size_t row) const {
    return fmt::format("{}:{}", file, lines[row]);
}

int CsvTable::column(std::string_view head) const {
    const auto found = std::find(heads.begin(), heads.end(), head);
    return found == heads.end() ? -1 : static_cast<int>(found - heads.begin());
}

Result<CsvTable> parse_csv(std::string_view text, const std::string& file) {
    CsvParser parser(text, file);
    CsvTable table;
    table.file = file;
    if (parser.at_end()) return bad_input(file, "is empty; a table has a header line");
    MEMSIDE_TRY(table.heads, parser.record());
    std::set<std::string> seen;
    for (const std::string& head : table.heads) {
        if (head.empty() || !seen.insert(head).second) {
            return bad_input(file + ":1",
                             fmt::format("the head {} is empty or there twice", in_quotes(head)));
        }
    }
    while (!parser.at_end()) {
        const int line = parser.line();
        MEMSIDE_TRY(std::vector<std::string> cells, parser.record());
        if (cells.size() != table.heads.size()) {
            return bad_input(
                fmt::format("{}:{}", file, line),
                fmt::format("has {} cells; the header has {}", cells.size(), table.heads.size()));
        }
        table.rows.push_back(std::move(cells));
        table.lines.push_back(line);
    }
    return table;
}

Result<CsvTable> read_csv(const std::string& path) {
    MEMSIDE_TRY(const std::string text, read_file(path, max_csv_bytes));
    return parse_csv(text, path);
}

}  // namespace memside
