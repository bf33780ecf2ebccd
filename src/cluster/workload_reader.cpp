#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "cluster/workload.h"

namespace memside {
namespace {

constexpr std::size_t max_file_bytes = std::size_t{64} << 20;
constexpr std::string_view context_key = "context_tokens";
constexpr std::string_view output_key = "output_tokens";
constexpr std::string_view arrival_key = "arrival_s";

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

Result<double> seconds(std::string_view text, const std::string& where) {
    MEMSIDE_TRY(const double value, parse_number(text, where));
    if (!std::isfinite(value) || value < 0.0) {
        return bad_input(where, fmt::format("{} is no '{}'; allowed: seconds from 0 on",
                                            in_quotes(std::string(text)), arrival_key));
    }
    return value;
}

Status add(WorkloadFile& file, const ServedRequest& request, const std::string& name) {
    if (std::ssize(file.requests) == most_workload_requests) {
        return bad_input(name, fmt::format("holds more than {} requests", most_workload_requests));
    }
    file.requests.push_back(request);
    return {};
}

class CsvReader {
  public:
    explicit CsvReader(const std::string& name) : name_(name) {}

    Status line(std::string_view text, int number) {
        const std::string where = fmt::format("{}:{}", name_, number);
        const std::vector<std::string_view> row = cells(text);
        if (!columns_read_) return header(row, where);
        ServedRequest request;
        MEMSIDE_TRY(const std::string_view context, cell(row, context_, context_key, where));
        MEMSIDE_TRY(request.context_tokens, parse_tokens(context, where));
        if (file_.has_output) {
            MEMSIDE_TRY(const std::string_view output, cell(row, output_, output_key, where));
            MEMSIDE_TRY(request.output_tokens, parse_tokens(output, where));
        }
        if (file_.has_arrivals) {
            MEMSIDE_TRY(const std::string_view at, cell(row, arrival_, arrival_key, where));
            MEMSIDE_TRY(request.arrival_s, seconds(at, where));
        }
        return add(file_, request, name_);
    }

    WorkloadFile finish() { return std::move(file_); }

  private:
    Status header(const std::vector<std::string_view>& row, const std::string& where) {
        columns_read_ = true;
        const auto find = [&](std::string_view key, std::size_t& column) {
            const auto found = std::find(row.begin(), row.end(), key);
            column = static_cast<std::size_t>(found - row.begin());
            return found != row.end();
        };
        if (!find(context_key, context_)) {
            return bad_input(where, fmt::format("the header line has no column '{}'", context_key));
        }
        file_.has_output = find(output_key, output_);
        file_.has_arrivals = find(arrival_key, arrival_);
        return {};
    }

    static Result<std::string_view> cell(const std::vector<std::string_view>& row,
                                         std::size_t column, std::string_view key,
                                         const std::string& where) {
        if (column < row.size()) return row[column];
        return bad_input(where, fmt::format("has no value for '{}'", key));
    }

    const std::string& name_;
    WorkloadFile file_;
    bool columns_read_ = false;
    std::size_t context_ = 0;
    std::size_t output_ = 0;
    std::size_t arrival_ = 0;
};

Result<std::int64_t> tokens_of(const nlohmann::json& object, std::string_view key,
                               const std::string& where) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number_integer()) {
        return bad_input(where, fmt::format("needs a whole number '{}'", key));
    }
    return parse_tokens(found->dump(), where);
}

// The first object says which optional keys all of them have.
Status add_object(const nlohmann::json& object, const std::string& where, WorkloadFile& file,
                  const std::string& name) {
    if (file.requests.empty()) {
        file.has_output = object.contains(output_key);
        file.has_arrivals = object.contains(arrival_key);
    }
    for (const auto& [key, expected] :
         {std::pair{output_key, file.has_output}, std::pair{arrival_key, file.has_arrivals}}) {
        if (object.contains(key) != expected) {
            return bad_input(where,
                             fmt::format("'{}' must be given for all requests or for none", key));
        }
    }
    ServedRequest request;
    MEMSIDE_TRY(request.context_tokens, tokens_of(object, context_key, where));
    if (file.has_output) {
        MEMSIDE_TRY(request.output_tokens, tokens_of(object, output_key, where));
    }
    if (file.has_arrivals) {
        MEMSIDE_TRY(request.arrival_s, seconds(object.at(std::string(arrival_key)).dump(), where));
    }
    return add(file, request, name);
}

}  // namespace

Result<WorkloadFile> parse_workload_csv(std::string_view text, const std::string& file) {
    CsvReader reader(file);
    MEMSIDE_CHECK(for_each_line(
        text, [&](std::string_view line, int number) { return reader.line(line, number); }));
    WorkloadFile read = reader.finish();
    if (read.requests.empty()) return bad_input(file, "holds no request");
    return read;
}

Result<WorkloadFile> parse_workload_jsonl(std::string_view text, const std::string& file) {
    WorkloadFile read;
    MEMSIDE_CHECK(for_each_line(text, [&](std::string_view line, int number) -> Status {
        const std::string where = fmt::format("{}:{}", file, number);
        const auto value = nlohmann::json::parse(line, nullptr, false);
        if (!value.is_object()) return bad_input(where, "is not a JSON object");
        return add_object(value, where, read, file);
    }));
    if (read.requests.empty()) return bad_input(file, "holds no request");
    return read;
}

Result<WorkloadFile> read_workload_file(const std::string& path) {
    MEMSIDE_TRY(const std::string text, read_file(path, max_file_bytes));
    return path.ends_with(".csv") ? parse_workload_csv(text, path)
                                  : parse_workload_jsonl(text, path);
}

}  // namespace memside
