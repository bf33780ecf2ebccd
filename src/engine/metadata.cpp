#include "engine/metadata.h"

namespace memside::engine {

Error Metadata::error(const std::string& key, std::string_view problem) const {
    return bad_input(file_, fmt::format("metadata key '{}' {}", key, problem));
}

Result<std::optional<double>> Metadata::number(const std::string& key) const {
    const auto found = header_.metadata.find(key);
    if (found == header_.metadata.end()) return std::optional<double>();
    const auto& data = found->second.data;
    if (const auto* i = std::get_if<std::int64_t>(&data)) return std::optional(double(*i));
    if (const auto* u = std::get_if<std::uint64_t>(&data)) return std::optional(double(*u));
    if (const auto* d = std::get_if<double>(&data)) return std::optional(*d);
    return error(key, "is not a number");
}

Result<std::optional<std::string>> Metadata::text(const std::string& key) const {
    const auto found = header_.metadata.find(key);
    if (found == header_.metadata.end()) return std::optional<std::string>();
    if (const auto* text = std::get_if<std::string>(&found->second.data)) {
        return std::optional(*text);
    }
    return error(key, "is not a string");
}

Result<double> Metadata::number_in(const std::string& key, double fallback, double low,
                                   double high) const {
    MEMSIDE_TRY(const std::optional<double> given, number(key));
    if (!given) return fallback;
    // Written so that NaN is refused too.
    if (!(*given >= low && *given <= high)) {
        return error(key, fmt::format("is {}; allowed: {} to {}", *given, low, high));
    }
    return *given;
}

}  // namespace memside::engine
