// CRC-32 as in zlib and PNG (polynomial 0xEDB88320, reflected): any change within 32 adjacent bits
// is found for certain.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace memside {

constexpr std::array<std::uint32_t, 256> crc32_table = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit)
            value = value >> 1 ^ ((value & 1U) != 0 ? 0xEDB88320U : 0);
        table[i] = value;
    }
    return table;
}();

constexpr std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t value = 0xFFFFFFFFU;
    for (const char c : bytes) {
        value = value >> 8 ^ crc32_table[(value ^ static_cast<unsigned char>(c)) & 0xFFU];
    }
    return ~value;
}

}  // namespace memside
