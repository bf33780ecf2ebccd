#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cluster/batch.h"

namespace memside {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{64} << 20;
constexpr std::size_t max_requests = 1'000'000;
constexpr std::string_view column_name = "context_tokens";

void append(Requests& requests, std::int64_t context_tokens) {
    if (!requests.empty() && requests.back().context_tokens == context_tokens) {
        ++requests.back().count;
    } else {
        requests.push_back({context_tokens, 1});
    }
}

// Calls body(line, number) for every line that is not blank.
template <typename Body>
Status for_each_line(std::string_view text, Body body) {
    int number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (!trim(line).empty()) MEMSIDE_CHECK(body(trim(line), number));
    }
    return {};
}

std::vector<std::string_view> cells(std::string_view line) {
    std::vector<std::string_view> split;
    while (true) {
        const std::size_t comma = line.find(',');
        split.push_back(trim(line.substr(0, comma)));
        if (comma == std::string_view::npos) return split;
        line.remove_prefix(comma + 1);
    }
}

Status check_requests(const Requests& requests, const std::string& file) {
    if (requests.empty()) return bad_input(file, "holds no request");
    if (static_cast<std::size_t>(request_count(requests)) > max_requests) {
        return bad_input(file, fmt::format("holds more than {} requests", max_requests));
    }
    return {};
}

}  // namespace

Result<Requests> parse_workload_csv(std::string_view text, const std::string& file) {
    Requests requests;
    std::size_t column = 0;
    bool header_read = false;
    MEMSIDE_CHECK(for_each_line(text, [&](std::string_view line, int number) -> Status {
        const std::string where = fmt::format("{}:{}", file, number);
        const std::vector<std::string_view> row = cells(line);
        if (!header_read) {
            header_read = true;
            const auto found = std::find(row.begin(), row.end(), column_name);
            if (found == row.end()) {
                return bad_input(where,
                                 fmt::format("the header line has no column '{}'", column_name));
            }
            column = static_cast<std::size_t>(found - row.begin());
            return {};
        }
        if (column >= row.size()) {
            return bad_input(where, fmt::format("has no value for '{}'", column_name));
        }
        MEMSIDE_TRY(const std::int64_t tokens, parse_tokens(row[column], where));
        append(requests, tokens);
        return {};
    }));
    MEMSIDE_CHECK(check_requests(requests, file));
    return requests;
}

Result<Requests> parse_workload_jsonl(std::string_view text, const std::string& file) {
    Requests requests;
    MEMSIDE_CHECK(for_each_line(text, [&](std::string_view line, int number) -> Status {
        const std::string where = fmt::format("{}:{}", file, number);
        const auto value = nlohmann::json::parse(line, nullptr, false);
        if (!value.is_object()) return bad_input(where, "is not a JSON object");
        const auto found = value.find(column_name);
        if (found == value.end() || !found->is_number_integer()) {
            return bad_input(where, fmt::format("needs a whole number '{}'", column_name));
        }
        MEMSIDE_TRY(const std::int64_t tokens, parse_tokens(found->dump(), where));
        append(requests, tokens);
        return {};
    }));
    MEMSIDE_CHECK(check_requests(requests, file));
    return requests;
}

Result<Requests> read_workload(const std::string& path) {
    const bool csv = path.ends_with(".csv");
    if (!csv && !path.ends_with(".jsonl")) {
        return bad_input("--workload",
                         in_quotes(path) +
                             " is not a known workload; allowed: FILE.csv, FILE.jsonl "
                             "(named data sets are not modelled yet)");
    }
    MEMSIDE_TRY(const std::string text, read_file(path, max_file_bytes));
    return csv ? parse_workload_csv(text, path) : parse_workload_jsonl(text, path);
}

}  // namespace memside
