#include "engine/unicode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace memside::engine {
namespace {

struct ClassRange {
    char32_t first;
    char32_t last;
    CharacterClass character_class;
};

constexpr auto l = CharacterClass::letter;
constexpr auto n = CharacterClass::number;
constexpr auto s = CharacterClass::space;
constexpr auto p = CharacterClass::punctuation;
constexpr ClassRange ranges[] = {
#include "engine/unicode_table.inc"
};

// Most text is below U+0800: those classes are looked up, the others searched for.
constexpr std::size_t direct_codes = 0x800;

CharacterClass search(char32_t code) {
    const auto* found = std::upper_bound(
        std::begin(ranges), std::end(ranges), code,
        [](char32_t value, const ClassRange& range) { return value < range.first; });
    if (found == std::begin(ranges)) return CharacterClass::other;
    --found;
    return code <= found->last ? found->character_class : CharacterClass::other;
}

// The length of the sequence that `lead` begins, and the bounds of its second byte; length 0 for a
// byte that begins none.
struct Lead {
    std::size_t bytes;
    unsigned second_low;
    unsigned second_high;
};

constexpr Lead lead_of(unsigned lead) {
    if (lead < 0x80) return {1, 0, 0};
    if (lead < 0xC2 || lead > 0xF4) return {0, 0, 0};
    if (lead < 0xE0) return {2, 0x80, 0xBF};
    if (lead == 0xE0) return {3, 0xA0, 0xBF};
    if (lead == 0xED) return {3, 0x80, 0x9F};
    if (lead < 0xF0) return {3, 0x80, 0xBF};
    if (lead == 0xF0) return {4, 0x90, 0xBF};
    if (lead == 0xF4) return {4, 0x80, 0x8F};
    return {4, 0x80, 0xBF};
}

unsigned byte_at(std::string_view text, std::size_t position) {
    return static_cast<unsigned char>(text[position]);
}

// How many bytes at `position`, of the sequence that the first of them begins, are as they must be.
std::size_t good_bytes(std::string_view text, std::size_t position, const Lead& lead) {
    const std::size_t end = std::min(text.size(), position + lead.bytes);
    std::size_t next = position + 1;
    while (next < end) {
        const unsigned byte = byte_at(text, next);
        const bool second = next == position + 1;
        if (byte < (second ? lead.second_low : 0x80U) || byte > (second ? lead.second_high : 0xBFU))
            break;
        ++next;
    }
    return next - position;
}

}  // namespace

CharacterClass character_class(char32_t code) {
    static const std::array<CharacterClass, direct_codes> direct = [] {
        std::array<CharacterClass, direct_codes> classes{};
        for (char32_t c = 0; c < direct_codes; ++c) classes[c] = search(c);
        return classes;
    }();
    return code < direct_codes ? direct[code] : search(code);
}

Character character_at(std::string_view text, std::size_t position) {
    const unsigned first = byte_at(text, position);
    if (first < 0x80) return {first, 1};
    const Lead lead = lead_of(first);
    if (lead.bytes == 0 || good_bytes(text, position, lead) < lead.bytes) {
        return {first_stray_byte + first, 1};
    }
    char32_t code = first & (0x7FU >> lead.bytes);
    for (std::size_t i = 1; i < lead.bytes; ++i)
        code = code << 6 | (byte_at(text, position + i) & 0x3FU);
    return {code, lead.bytes};
}

std::size_t unfinished_bytes(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const Lead lead = lead_of(byte_at(text, text.size() - back));
        if (lead.bytes == 0) continue;  // it may continue a sequence that begins before it
        const bool unfinished =
            lead.bytes > back && good_bytes(text, text.size() - back, lead) == back;
        return unfinished ? back : 0;
    }
    return 0;
}

}  // namespace memside::engine
