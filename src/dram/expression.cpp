#include "dram/expression.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace memside::dram {
namespace {

bool is_name(std::string_view term) {
    return !term.empty() && (term[0] < '0' || term[0] > '9') &&
           term.find_first_of(" \t*/()") == std::string_view::npos;
}

}  // namespace

Result<Cycle> evaluate(std::string_view text, const TimingValues& values, int ticks_per_clock,
                       const std::string& where) {
    Cycle sum = 0;
    int sign = 1;
    std::string_view rest = trim(text);
    while (true) {
        const std::size_t end = rest.find_first_of("+-");
        const std::string_view term = trim(rest.substr(0, end));
        if (is_name(term)) {
            const auto found = values.find(term);
            if (found == values.end()) {
                std::vector<std::string> names;
                for (const auto& [key, value] : values) names.push_back(key);
                return bad_input(where, fmt::format("{}: unknown timing {}{}", in_quotes(text),
                                                    in_quotes(term), hint(term, names)));
            }
            sum += sign * found->second;
        } else {
            int number = 0;
            const auto [stop, code] =
                std::from_chars(term.data(), term.data() + term.size(), number);
            if (code != std::errc{} || stop != term.data() + term.size()) {
                return bad_input(where, fmt::format("{} is not a sum of timings and whole "
                                                    "numbers; allowed: like nCWL + nBL + 2",
                                                    in_quotes(text)));
            }
            sum += Cycle{sign} * number * ticks_per_clock;
        }
        if (end == std::string_view::npos) return sum;
        sign = rest[end] == '-' ? -1 : 1;
        rest.remove_prefix(end + 1);
    }
}

std::vector<std::string> names_in(std::string_view text) {
    std::vector<std::string> names;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("+-"), text.size());
        const std::string_view term = trim(text.substr(0, end));
        if (is_name(term)) names.emplace_back(term);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return names;
}

}  // namespace memside::dram
