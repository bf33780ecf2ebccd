// CRC-32C (Castagnoli, polynomial 0x82F63B78 reflected; RFC 3720, appendix B.4): any change within
// 32 adjacent bits is found for certain. x86 has an instruction for it, so that pages are checked
// at about the speed of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace memside {

// Of `bytes`, going on from the checksum of what came before them (0: nothing).
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

// The same by a table, a byte at a time: the reference, and what runs without SSE4.2.
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace memside
