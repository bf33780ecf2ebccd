#include "engine/special_tokens.h"

#include <algorithm>

#include "base/text.h"

namespace memside::engine {

Result<SpecialTokens> SpecialTokens::make(const Vocabulary& vocabulary, const std::string& file) {
    SpecialTokens special;
    for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
        const TokenKind kind = vocabulary.kind(id);
        if (kind != TokenKind::control && kind != TokenKind::user_defined &&
            kind != TokenKind::unknown) {
            continue;
        }
        const std::string_view name = vocabulary.name(id);
        if (name.size() > max_name_bytes) {
            return bad_input(file, fmt::format("the special token {} {} has {} bytes; allowed: {}",
                                               id, in_quotes(name), name.size(), max_name_bytes));
        }
        if (!name.empty()) special.entries_.push_back({name, id});
    }
    auto& entries = special.entries_;
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.name < b.name; });
    entries.erase(std::unique(entries.begin(), entries.end(),
                              [](const Entry& a, const Entry& b) { return a.name == b.name; }),
                  entries.end());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        Range& range = special.by_first_byte_[static_cast<unsigned char>(entries[i].name[0])];
        if (range.high == 0) range.low = i;
        range.high = i + 1;
    }
    return special;
}

void SpecialTokens::narrow(std::size_t& low, std::size_t& high, std::size_t depth,
                           char byte) const {
    const auto at = [depth](const Entry& entry) {
        return static_cast<unsigned char>(entry.name[depth]);
    };
    const auto wanted = static_cast<unsigned char>(byte);
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(low);
    const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(high);
    const auto begin =
        std::partition_point(first, last, [&](const Entry& entry) { return at(entry) < wanted; });
    const auto end =
        std::partition_point(begin, last, [&](const Entry& entry) { return at(entry) == wanted; });
    low = static_cast<std::size_t>(begin - entries_.begin());
    high = static_cast<std::size_t>(end - entries_.begin());
}

}  // namespace memside::engine
