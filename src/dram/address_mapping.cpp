#include "dram/address_mapping.h"

#include <bit>
#include <map>

#include "base/text.h"

namespace memside::dram {
namespace {

int log2_of(int value) {
    return std::countr_zero(static_cast<unsigned>(value));
}

struct Token {
    std::string name;
    int bits = 0;  // 0: what is left
};

const std::vector<std::string> field_names = {"Ro", "Co", "Ch", "Ra", "Pc", "Si", "Bg", "Ba"};

Result<std::vector<Token>> split(std::string_view text, const std::string& where) {
    std::vector<Token> tokens;
    while (!text.empty()) {
        Token token{std::string(text.substr(0, 2)), 0};
        if (std::find(field_names.begin(), field_names.end(), token.name) == field_names.end()) {
            return bad_input(where, fmt::format("unknown field {}; allowed: {}",
                                                in_quotes(token.name), join(field_names, ", ")));
        }
        text.remove_prefix(2);
        while (!text.empty() && text[0] >= '0' && text[0] <= '9' && token.bits < 100) {
            token.bits = token.bits * 10 + (text[0] - '0');
            text.remove_prefix(1);
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

// Which bits of which coordinate a field of the string stands for. Bank bits are those of the flat
// index: a level's bits begin at its shift.
struct Range {
    int first = 0;
    int bits = 0;
};

std::map<std::string, std::vector<Range>> bank_ranges(const Spec& spec,
                                                      const std::vector<Token>& tokens) {
    const auto mentioned = [&](std::string_view name) {
        return std::any_of(tokens.begin(), tokens.end(),
                           [&](const Token& token) { return token.name == name; });
    };
    std::map<std::string, std::vector<Range>> ranges;
    for (const Level& level : spec.levels) {
        const Range range{level.shift, log2_of(level.count)};
        if (level.name == "pseudo_channel") ranges[mentioned("Pc") ? "Pc" : "Ra"].push_back(range);
        if (level.name == "stack_id") ranges[mentioned("Si") ? "Si" : "Ra"].push_back(range);
        if (level.name == "rank") ranges["Ra"].push_back(range);
        if (level.name == "bank_group") ranges[mentioned("Bg") ? "Bg" : "Ba"].push_back(range);
        if (level.name == "bank") ranges["Ba"].push_back(range);
    }
    return ranges;
}

int bits_in(const std::vector<Range>& ranges) {
    int sum = 0;
    for (const Range& range : ranges) sum += range.bits;
    return sum;
}

}  // namespace

Result<AddressMapping> AddressMapping::parse(std::string_view text, const Spec& spec, int channels,
                                             const std::string& where) {
    if (channels < 1 || !std::has_single_bit(static_cast<unsigned>(channels))) {
        return bad_input(where, fmt::format("{} channels; allowed: a power of two", channels));
    }
    AddressMapping mapping;
    std::string_view body = text;
    if (body.ends_with('^')) {
        body.remove_suffix(1);
        for (const Level& level : spec.levels) {
            if (level.name == "bank_group" || level.name == "bank") {
                mapping.hash_mask_ |= (level.count - 1) << level.shift;
            }
        }
    }
    MEMSIDE_TRY(const std::vector<Token> tokens, split(body, where));

    // A merged field takes its levels from the outside in: neighbouring addresses change bank
    // group before bank, and pseudo-channel before rank.
    std::map<std::string, std::vector<Range>> ranges = bank_ranges(spec, tokens);
    ranges["Ro"] = {{0, log2_of(spec.rows)}};
    ranges["Co"] = {{0, log2_of(spec.bursts_per_row)}};
    ranges["Ch"] = {{0, log2_of(channels)}};

    mapping.offset_bits_ = log2_of(spec.burst_bytes);
    std::map<std::string, int> used;
    int shift = mapping.offset_bits_;
    for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
        const std::vector<Range>& parts = ranges[token->name];
        const int left = bits_in(parts) - used[token->name];
        const bool last = std::none_of(token + 1, tokens.rend(), [&](const Token& other) {
            return other.name == token->name;
        });
        const int take = last ? (token->bits == 0 ? left : token->bits) : token->bits;
        if (take > left || (!last && take == 0) || (last && take != left)) {
            return bad_input(where, fmt::format("'{}' has {} bits here but {} are left of it",
                                                token->name, take, left));
        }
        // Bits of the field are taken from its lowest one up, across its ranges.
        int skip = used[token->name];
        int need = take;
        for (const Range& part : parts) {
            const int from = std::min(skip, part.bits);
            skip -= from;
            const int count = std::min(need, part.bits - from);
            need -= count;
            if (count == 0) continue;
            const Field field = token->name == "Ro"   ? Field::row
                                : token->name == "Co" ? Field::column
                                : token->name == "Ch" ? Field::channel
                                                      : Field::bank;
            mapping.slices_.push_back({field, shift, part.first + from, count});
            mapping.field_bits_[static_cast<std::size_t>(field)] += count;
            shift += count;
        }
        used[token->name] += take;
    }
    for (const auto& [name, parts] : ranges) {
        if (used[name] < bits_in(parts)) {
            return bad_input(where, fmt::format("{} lacks '{}', which has {} bits in {}",
                                                in_quotes(text), name, bits_in(parts), spec.name));
        }
    }
    mapping.total_bits_ = shift - mapping.offset_bits_;
    return mapping;
}

// The row's lowest bits, laid over the bank and bank-group bits of the flat index.
int AddressMapping::hash(int row) const {
    if (hash_mask_ == 0) return 0;
    return (row << std::countr_zero(static_cast<unsigned>(hash_mask_))) & hash_mask_;
}

Location AddressMapping::locate(std::uint64_t address) const {
    std::uint64_t fields[4] = {0, 0, 0, 0};
    for (const Slice& slice : slices_) {
        const std::uint64_t bits =
            (address >> slice.shift) & ((std::uint64_t{1} << slice.count) - 1);
        fields[static_cast<std::size_t>(slice.field)] |= bits << slice.to;
    }
    Location location;
    location.channel = static_cast<int>(fields[static_cast<std::size_t>(Field::channel)]);
    location.row = static_cast<int>(fields[static_cast<std::size_t>(Field::row)]);
    location.column = static_cast<int>(fields[static_cast<std::size_t>(Field::column)]);
    location.bank =
        static_cast<int>(fields[static_cast<std::size_t>(Field::bank)]) ^ hash(location.row);
    return location;
}

std::uint64_t AddressMapping::address(const Location& location) const {
    const std::uint64_t fields[4] = {static_cast<std::uint64_t>(location.channel),
                                     static_cast<std::uint64_t>(location.bank ^ hash(location.row)),
                                     static_cast<std::uint64_t>(location.row),
                                     static_cast<std::uint64_t>(location.column)};
    std::uint64_t address = 0;
    for (const Slice& slice : slices_) {
        const std::uint64_t bits = (fields[static_cast<std::size_t>(slice.field)] >> slice.to) &
                                   ((std::uint64_t{1} << slice.count) - 1);
        address |= bits << slice.shift;
    }
    return address;
}

std::uint64_t AddressMapping::interleave_bytes() const {
    for (const Slice& slice : slices_) {
        if (slice.field == Field::channel) return std::uint64_t{1} << slice.shift;
    }
    return capacity_bytes();
}

}  // namespace memside::dram
