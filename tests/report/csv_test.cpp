#include "report/csv.h"

#include <nlohmann/json.hpp>

#include "report/json.h"
#include "report/random_results.h"
#include "report/sample_results.h"

namespace memside {
namespace {

// RFC 4180 character by character: the slow reference for the quoting.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> row;
    std::string cell;
    bool in_quotes = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_quotes) {
            if (c != '"') {
                cell += c;
            } else if (i + 1 < text.size() && text[i + 1] == '"') {
                cell += '"';
                ++i;
            } else {
                in_quotes = false;
            }
        } else if (c == '"' && cell.empty()) {
            in_quotes = true;
        } else if (c == ',' || c == '\n') {
            row.push_back(cell);
            cell.clear();
            if (c == '\n') {
                rows.push_back(row);
                row.clear();
            }
        } else {
            cell += c;
        }
    }
    EXPECT_FALSE(in_quotes);
    EXPECT_TRUE(row.empty() && cell.empty()) << "the last line has no newline";
    return rows;
}

RC_GTEST_PROP(Csv, any_result_parses_back_to_its_cells, ()) {
    std::vector<SimulationResult> results;
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) results.push_back(samples::random_result());
    const auto rows = parse_csv(to_csv(results));
    RC_ASSERT(rows.size() == results.size() + 1);
    RC_ASSERT(rows[0] == csv_columns());
    for (std::size_t i = 0; i < results.size(); ++i) {
        RC_ASSERT(rows[i + 1].size() == rows[0].size());
        RC_ASSERT(rows[i + 1] == csv_cells(results[i]));
    }
}

TEST(Csv, cells_are_the_scalar_values_of_the_json) {
    for (const SimulationResult& result : samples::demo()) {
        const auto document = nlohmann::ordered_json::parse(to_json(result));
        const auto rows = parse_csv(to_csv({result}));
        std::size_t column = 0;
        for (const auto& [key, value] : document.items()) {
            if (value.is_structured() || key == "capacity" || key == "layer_timeline") continue;
            ASSERT_LT(column, rows[0].size());
            EXPECT_EQ(rows[0][column], key);
            const std::string& cell = rows[1][column];
            if (value.is_null()) {
                EXPECT_EQ(cell, "") << key;
            } else if (value.is_string()) {
                EXPECT_EQ(cell, value.get<std::string>());
            } else {
                EXPECT_EQ(std::stod(cell), value.get<double>()) << key;
            }
            ++column;
        }
        EXPECT_EQ(column, rows[0].size());
    }
}

TEST(Csv, only_cells_that_need_quotes_have_them) {
    EXPECT_EQ(csv_line({"a", "b c", ""}), "a,b c,\n");
    EXPECT_EQ(csv_line({"a,b", "say \"x\"", "two\nlines"}),
              "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\n");
}

TEST(Csv, no_result_is_the_header_alone) {
    const std::string csv = to_csv({});
    EXPECT_THAT(csv, testing::StartsWith("version,model,system,policy,context_tokens,batch,"));
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1);
}

}  // namespace
}  // namespace memside
