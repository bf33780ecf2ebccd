// What the binary forms of programs share: numbers, instructions, the frame of magic, version,
// length and checksum. docs/pim.md has the layout of AiM programs, docs/pim-dynamic.md that of
// dynamic ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "pim/instruction_table.h"

namespace memside::pim {

// Both forms begin with six bytes of magic, a version, a byte 0, the length of the whole file
// (8 bytes, little-endian) and a count of 8 bytes; a CRC-32 of all before it is last.
inline constexpr std::size_t binary_header_bytes = 24;
inline constexpr std::size_t binary_checksum_bytes = 4;
inline constexpr std::size_t binary_count_at = 16;

// First byte of an instruction: opcode in the low five bits, `written` in the high three. Opcodes
// end below 29: a form gives the bytes 29, 30 and 31 other meanings.
inline constexpr std::uint8_t binary_opcode_bits = 5;

std::string begin_binary(std::string_view magic, unsigned char version, std::uint64_t count);
void end_binary(std::string& out);  // writes the length and appends the checksum

void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes);
// Seven bits a byte, low ones first; the high bit says that more follow.
void put_number(std::string& out, std::uint64_t value);
// 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
std::uint64_t fold_sign(std::int32_t value);
std::int64_t unfold_sign(std::uint64_t value);
// A canonical instruction: its first byte, then its operands.
void put_instruction(std::string& out, const Instruction& instruction);

// Reads bytes in order. All functions that return bool have set error() when it is false.
class BinaryReader {
  public:
    BinaryReader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

    // `what` names the form: "binary AiM program". Then at() is after the header, and count() is
    // not above the bytes that follow.
    bool header(std::string_view magic, unsigned char version, std::string_view what,
                std::string_view counted);
    std::uint64_t count() const { return count_; }

    std::size_t at() const { return at_; }
    bool done() const { return at_ == end_; }
    std::size_t end() const { return end_; }  // of what stands before the checksum

    bool byte(std::uint8_t& value);
    // Up to 2^35 - 1 in five bytes, the shortest way.
    bool number(std::uint64_t& value);
    bool number_up_to(std::uint64_t high, std::string_view name, std::uint32_t& value);
    bool fixed32(std::uint32_t& value);
    // A number of bytes, then these.
    bool text(std::size_t most, std::string_view name, std::string& value);
    // What follows the first byte, which stands at `start`.
    bool instruction(std::size_t start, std::uint8_t first, Instruction& made);

    bool fail(std::size_t at, const std::string& what);
    const Error& error() const { return *error_; }

  private:
    bool operand(Instruction& made, Field field);

    std::string_view bytes_;
    const std::string& file_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
    std::uint64_t count_ = 0;
    std::optional<Error> error_;
};

}  // namespace memside::pim
