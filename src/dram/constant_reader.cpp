#include "dram/constant_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/number.h"
#include "base/text.h"

namespace memside::dram {

Result<ConstantSection> ConstantSection::open(const ConfigNode& document, std::string_view section,
                                              std::vector<SourcedConstant>& noted) {
    ConstantSection result;
    result.name_ = section;
    result.section_ = document.find(section);
    result.sources_ = document.find("sources");
    result.noted_ = &noted;
    if (result.section_ == nullptr || !result.section_->is_map()) {
        return bad_input(document.where(), fmt::format("'{}' is missing or not a map", section));
    }
    if (result.sources_ != nullptr && !result.sources_->is_map()) {
        return bad_input(result.sources_->where(), "'sources' is not a map");
    }
    return result;
}

std::vector<std::string> ConstantSection::keys() const {
    std::vector<std::string> names;
    for (const auto& [key, value] : section_->fields) names.push_back(key);
    return names;
}

Result<std::string> ConstantSection::source_of(const ConfigNode& constant,
                                               std::string_view key) const {
    const ConfigNode* source = constant.find("source");
    const ConfigNode* assumed = constant.find("assumed");
    if ((source == nullptr) == (assumed == nullptr)) {
        return bad_input(constant.where(),
                         fmt::format("'{}' needs one of source and assumed: a document, or why "
                                     "this value",
                                     key));
    }
    const ConfigNode& reason = source != nullptr ? *source : *assumed;
    if (!reason.is_scalar() || trim(reason.scalar).empty()) {
        return bad_input(reason.where(), fmt::format("the source of '{}' is empty", key));
    }
    return (assumed != nullptr ? "assumed: " : "") + spelt_out(reason.scalar);
}

// A text that is a key of `sources`, or begins with one and a ':' or ',', with the key replaced.
std::string ConstantSection::spelt_out(const std::string& text) const {
    const std::size_t end = std::min(text.find_first_of(":,"), text.size());
    const ConfigNode* known = sources_ == nullptr ? nullptr : sources_->find(text.substr(0, end));
    if (known == nullptr || !known->is_scalar()) return text;
    return known->scalar + text.substr(end);
}

Result<ConstantSection::Value> ConstantSection::read(std::string_view key) {
    const ConfigNode* constant = section_->find(key);
    if (constant == nullptr) {
        return bad_input(section_->where(), fmt::format("'{}' has no '{}'", name_, key));
    }
    if (!constant->is_map()) {
        return bad_input(constant->where(),
                         fmt::format("'{}' is not {{value: .., source: ..}}", key));
    }
    MEMSIDE_CHECK(expect_keys(*constant, {"value", "source", "assumed"}));
    MEMSIDE_TRY(const std::string text, required_text(*constant, "value"));
    MEMSIDE_TRY(std::string source, source_of(*constant, key));
    noted_->push_back(
        {fmt::format("{}.{}", name_, key), text, std::move(source), constant->where()});
    return Value{text, constant->where()};
}

Result<double> ConstantSection::quantity(std::string_view key, Dimension dimension) {
    MEMSIDE_TRY(const Value value, read(key));
    return parse_quantity(value.text, dimension, value.where);
}

Result<int> ConstantSection::whole(std::string_view key, int low, int high) {
    MEMSIDE_TRY(const Value value, read(key));
    MEMSIDE_TRY(const std::int64_t number, parse_integer(value.text, low, high, value.where));
    return static_cast<int>(number);
}

Result<double> ConstantSection::plain(std::string_view key) {
    MEMSIDE_TRY(const Value value, read(key));
    double number = 0;
    const char* end = value.text.data() + value.text.size();
    const auto [stop, code] = std::from_chars(value.text.data(), end, number);
    if (code != std::errc{} || stop != end || !std::isfinite(number) || number < 0) {
        return bad_input(value.where,
                         fmt::format("{} is not a number of at least 0", in_quotes(value.text)));
    }
    return number;
}

}  // namespace memside::dram
