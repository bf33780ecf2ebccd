// The alphabet in which byte-level BPE writes bytes as printable characters: 33-126, 161-172 and
// 174-255 stand for themselves, the other 68 bytes are U+0100 onwards in order (GPT-2's choice).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/unicode.h"

namespace memside::engine {

constexpr bool byte_is_printable(unsigned byte) {
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// The code points of the 256 bytes, all below U+0144.
constexpr std::array<char16_t, 256> byte_alphabet() {
    std::array<char16_t, 256> codes{};
    char16_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        codes[byte] = byte_is_printable(byte) ? static_cast<char16_t>(byte) : next++;
    }
    return codes;
}

// `bytes` in the alphabet, as UTF-8.
inline std::string to_byte_alphabet(std::string_view bytes) {
    static constexpr auto codes = byte_alphabet();
    std::string text;
    for (const char c : bytes) {
        const unsigned code = codes[static_cast<unsigned char>(c)];
        if (code < 0x80) {
            text += static_cast<char>(code);
        } else {
            text += static_cast<char>(0xC0U | code >> 6);
            text += static_cast<char>(0x80U | (code & 0x3FU));
        }
    }
    return text;
}

// The bytes that `text` stands for; false when it has a character outside the alphabet.
inline bool from_byte_alphabet(std::string_view text, std::string& bytes) {
    static constexpr auto byte_of = [] {
        std::array<std::int16_t, 0x144> table{};
        table.fill(-1);
        const auto codes = byte_alphabet();
        for (unsigned byte = 0; byte < 256; ++byte) {
            table[codes[byte]] = static_cast<std::int16_t>(byte);
        }
        return table;
    }();
    bytes.clear();
    for (std::size_t i = 0; i < text.size();) {
        const Character character = character_at(text, i);
        if (character.code >= byte_of.size() || byte_of[character.code] < 0) return false;
        bytes += static_cast<char>(byte_of[character.code]);
        i += character.bytes;
    }
    return true;
}

}  // namespace memside::engine
