#include "pim/binary_parts.h"

#include "base/checksum.h"
#include "base/text.h"
#include "pim/instruction_table.h"

namespace memside::pim {
namespace {

constexpr std::size_t length_at = 8;
constexpr std::uint8_t opcode_mask = (1U << binary_opcode_bits) - 1;
static_assert(opcode_count <= 29);

struct OptionalField {
    Optional bit;
    Field field;
};
constexpr std::array<OptionalField, 3> optional_fields{
    {{optional_column, Field::column}, {optional_gbuf, Field::gbuf}, {optional_out, Field::out}}};

std::uint64_t fixed(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

void set(Instruction& instruction, Field field, std::uint32_t value) {
    switch (field) {
        case Field::opsize:
            instruction.opsize = value;
            break;
        case Field::gpr:
        case Field::config:
            instruction.gpr = value;
            break;
        case Field::gpr2:
        case Field::value:
            instruction.gpr2 = value;
            break;
        case Field::mask:
            instruction.mask = value;
            break;
        case Field::channel:
            instruction.channel = static_cast<std::uint8_t>(value);
            break;
        case Field::bank:
            instruction.bank = static_cast<std::uint8_t>(value);
            break;
        case Field::row:
            instruction.row = value;
            break;
        case Field::column:
            instruction.column = static_cast<std::uint16_t>(value);
            break;
        case Field::gbuf:
            instruction.gbuf = static_cast<std::uint16_t>(value);
            break;
        case Field::out:
            instruction.out = value;
            break;
    }
}

}  // namespace

void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

void put_number(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80U);
    out += static_cast<char>(value);
}

std::uint64_t fold_sign(std::int32_t value) {
    return value < 0 ? ~static_cast<std::uint64_t>(std::int64_t{value}) * 2 + 1
                     : static_cast<std::uint64_t>(value) * 2;
}
std::int64_t unfold_sign(std::uint64_t value) {
    const auto half = static_cast<std::int64_t>(value >> 1);
    return (value & 1U) != 0 ? -half - 1 : half;
}

void put_instruction(std::string& out, const Instruction& instruction) {
    const InstructionInfo& row = info(instruction.opcode);
    out += static_cast<char>(unsigned{instruction.written} << binary_opcode_bits |
                             static_cast<unsigned>(instruction.opcode));
    for (std::size_t i = 0; i < row.operand_count; ++i) {
        put_number(out, get(instruction, row.operands[i]));
    }
    for (const auto& [bit, field] : optional_fields) {
        if ((instruction.written & bit) != 0) put_number(out, get(instruction, field));
    }
}

std::string begin_binary(std::string_view magic, unsigned char version, std::uint64_t count) {
    std::string out(magic);
    out += static_cast<char>(version);
    out += '\0';
    put_fixed(out, 0, 8);  // the length, once it is known
    put_fixed(out, count, 8);
    return out;
}

void end_binary(std::string& out) {
    std::string length;
    put_fixed(length, out.size() + binary_checksum_bytes, 8);
    out.replace(length_at, length.size(), length);
    put_fixed(out, crc32(out), binary_checksum_bytes);
}

bool BinaryReader::header(std::string_view magic, unsigned char version, std::string_view what,
                          std::string_view counted) {
    if (!bytes_.starts_with(magic)) {
        return fail(0, fmt::format("not a {}: it begins with {}", what,
                                   in_quotes(bytes_.substr(0, magic.size()))));
    }
    if (bytes_.size() < binary_header_bytes + binary_checksum_bytes) {
        return fail(bytes_.size(), "the file ends inside its header");
    }
    const auto found = static_cast<unsigned char>(bytes_[magic.size()]);
    if (found != version) {
        return fail(magic.size(),
                    fmt::format("version {} is not supported; allowed: {}", found, version));
    }
    const std::uint64_t length = fixed(bytes_.substr(length_at, 8));
    if (length != bytes_.size()) {
        return fail(length_at,
                    fmt::format("{} bytes are announced, the file has {}", length, bytes_.size()));
    }
    end_ = bytes_.size() - binary_checksum_bytes;
    const std::uint64_t checksum = fixed(bytes_.substr(end_));
    const std::uint32_t expected = crc32(bytes_.substr(0, end_));
    if (checksum != expected) {
        return fail(end_, fmt::format("checksum {:08x}, but bytes 0 to {} have {:08x}: the "
                                      "file has changed",
                                      checksum, end_ - 1, expected));
    }
    if (bytes_[magic.size() + 1] != 0) return fail(magic.size() + 1, "is not 0");
    count_ = fixed(bytes_.substr(binary_count_at, 8));
    // What is counted takes a byte at least: a false count allocates nothing.
    if (count_ > end_ - binary_header_bytes) {
        return fail(binary_count_at, fmt::format("{} {} are announced, but {} bytes follow", count_,
                                                 counted, end_ - binary_header_bytes));
    }
    at_ = binary_header_bytes;
    return true;
}

bool BinaryReader::byte(std::uint8_t& value) {
    if (at_ == end_) return fail(at_, "the file ends too early");
    value = static_cast<unsigned char>(bytes_[at_++]);
    return true;
}

bool BinaryReader::number(std::uint64_t& value) {
    const std::size_t start = at_;
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        if (at_ == end_) return fail(at_, "the file ends inside a number");
        const auto byte = static_cast<unsigned char>(bytes_[at_++]);
        result |= std::uint64_t{byte & 0x7FU} << shift;
        if (byte >= 0x80) continue;
        if (byte == 0 && shift != 0) return fail(start, "a number with a zero too many");
        value = result;
        return true;
    }
    return fail(start, "a number of more than five bytes");
}

bool BinaryReader::number_up_to(std::uint64_t high, std::string_view name, std::uint32_t& value) {
    const std::size_t start = at_;
    std::uint64_t read = 0;
    if (!number(read)) return false;
    if (read > high) return fail(start, fmt::format("{} {} is above {}", name, read, high));
    value = static_cast<std::uint32_t>(read);
    return true;
}

bool BinaryReader::fixed32(std::uint32_t& value) {
    if (end_ - at_ < 4) return fail(at_, "the file ends too early");
    value = static_cast<std::uint32_t>(fixed(bytes_.substr(at_, 4)));
    at_ += 4;
    return true;
}

bool BinaryReader::text(std::size_t most, std::string_view name, std::string& value) {
    const std::size_t start = at_;
    std::uint32_t length = 0;
    if (!number_up_to(most, name, length)) return false;
    if (end_ - at_ < length) return fail(start, fmt::format("the file ends inside {}", name));
    value = bytes_.substr(at_, length);
    at_ += length;
    return true;
}

bool BinaryReader::instruction(std::size_t start, std::uint8_t first, Instruction& made) {
    const unsigned opcode = first & opcode_mask;
    const auto written = static_cast<std::uint8_t>(first >> binary_opcode_bits);
    if (opcode >= opcode_count) {
        return fail(start, fmt::format("opcode {} is above {}", opcode, opcode_count - 1));
    }
    const InstructionInfo& row = instruction_table[opcode];
    if ((written & ~row.optional) != 0) {
        return fail(start,
                    fmt::format("{} has an optional operand that it does not take", row.name));
    }
    made = {.opcode = row.opcode, .written = written};
    for (std::size_t i = 0; i < row.operand_count; ++i) {
        if (!operand(made, row.operands[i])) return false;
    }
    for (const auto& [bit, field] : optional_fields) {
        if ((written & bit) != 0 && !operand(made, field)) return false;
    }
    if ((row.optional & optional_gbuf) != 0 && (written & optional_gbuf) == 0) {
        made.gbuf = made.column % gbuf_entries;
    }
    if (!reaches_surely(made)) {
        if (const auto fault = find_fault(made)) return fail(start, fault->what);
    }
    return true;
}

bool BinaryReader::operand(Instruction& made, Field field) {
    const std::size_t start = at_;
    std::uint64_t value = 0;
    if (!number(value)) return false;
    // Before it is cut to the field's width.
    if (value < info(field).low || value > highest(made.opcode, field)) {
        return fail(start, find_fault(made, field, static_cast<std::int64_t>(value))->what);
    }
    set(made, field, static_cast<std::uint32_t>(value));
    return true;
}

bool BinaryReader::fail(std::size_t at, const std::string& what) {
    error_ = bad_input(fmt::format("{}: byte {}", file_, at), what);
    return false;
}

}  // namespace memside::pim
