#include "pim/binary_form.h"

#include "base/checksum.h"
#include "base/text.h"
#include "pim/program_builder.h"
#include "pim/program_walk.h"
#include "pim/text_reader.h"

namespace memside::pim {
namespace {

// The last two bytes of the magic break when a transfer takes the file for text.
constexpr std::string_view magic = "AiM\x1a\r\n";
constexpr unsigned char version = 1;
constexpr std::size_t length_at = 8;  // 8 bytes, little-endian: of the whole file
constexpr std::size_t count_at = 16;  // 8 bytes: instructions, not unrolled
constexpr std::size_t header_bytes = 24;
constexpr std::size_t checksum_bytes = 4;

// First byte of an item: opcode in the low five bits, `written` in the high three; or one of these.
constexpr std::uint8_t opcode_bits = 5;
constexpr std::uint8_t opcode_mask = (1U << opcode_bits) - 1;
constexpr std::uint8_t item_stride = 29;
constexpr std::uint8_t item_end = 30;
constexpr std::uint8_t item_loop = 31;
static_assert(opcode_count <= item_stride);

struct OptionalField {
    Optional bit;
    Field field;
};
constexpr std::array<OptionalField, 3> optional_fields{
    {{optional_column, Field::column}, {optional_gbuf, Field::gbuf}, {optional_out, Field::out}}};

void put_fixed(std::string& out, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
}

std::uint64_t fixed(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

// Seven bits a byte, low ones first; the high bit says that more follow.
void put_number(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80U);
    out += static_cast<char>(value);
}

// 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
std::uint64_t fold_sign(std::int32_t value) {
    return value < 0 ? ~static_cast<std::uint64_t>(std::int64_t{value}) * 2 + 1
                     : static_cast<std::uint64_t>(value) * 2;
}
std::int64_t unfold_sign(std::uint64_t value) {
    const auto half = static_cast<std::int64_t>(value >> 1);
    return (value & 1U) != 0 ? -half - 1 : half;
}

void put(std::string& out, const Instruction& instruction) {
    const InstructionInfo& row = info(instruction.opcode);
    out += static_cast<char>(unsigned{instruction.written} << opcode_bits |
                             static_cast<unsigned>(instruction.opcode));
    for (std::size_t i = 0; i < row.operand_count; ++i) {
        put_number(out, get(instruction, row.operands[i]));
    }
    for (const auto& [bit, field] : optional_fields) {
        if ((instruction.written & bit) != 0) put_number(out, get(instruction, field));
    }
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

class Reader {
  public:
    Reader(std::string_view bytes, const std::string& file) : bytes_(bytes), file_(file) {}

    Result<Program> read() {
        if (!header() || !items()) return *error_;
        if (builder_.open_loops() != 0) {
            fail(end_, "a loop has no end");
            return *error_;
        }
        if (instructions_ != count_) {
            fail(count_at,
                 fmt::format("{} instructions are announced, {} follow", count_, instructions_));
            return *error_;
        }
        return std::move(builder_).finish();
    }

  private:
    // All functions that return bool have set error_ when it is false.

    bool header() {
        if (!is_binary(bytes_)) {
            return fail(0, fmt::format("not a binary AiM program: it begins with {}",
                                       in_quotes(bytes_.substr(0, magic.size()))));
        }
        if (bytes_.size() < header_bytes + checksum_bytes) {
            return fail(bytes_.size(), "the file ends inside its header");
        }
        const auto found = static_cast<unsigned char>(bytes_[magic.size()]);
        if (found != version) {
            return fail(magic.size(),
                        fmt::format("version {} is not supported; allowed: {}", found, version));
        }
        const std::uint64_t length = fixed(bytes_.substr(length_at, 8));
        if (length != bytes_.size()) {
            return fail(length_at, fmt::format("{} bytes are announced, the file has {}", length,
                                               bytes_.size()));
        }
        end_ = bytes_.size() - checksum_bytes;
        const std::uint64_t checksum = fixed(bytes_.substr(end_));
        const std::uint32_t expected = crc32(bytes_.substr(0, end_));
        if (checksum != expected) {
            return fail(end_, fmt::format("checksum {:08x}, but bytes 0 to {} have {:08x}: the "
                                          "file has changed",
                                          checksum, end_ - 1, expected));
        }
        if (bytes_[magic.size() + 1] != 0) return fail(magic.size() + 1, "is not 0");
        count_ = fixed(bytes_.substr(count_at, 8));
        // An instruction takes a byte at least: a false count allocates nothing.
        if (count_ > end_ - header_bytes) {
            return fail(count_at, fmt::format("{} instructions are announced, but {} bytes follow",
                                              count_, end_ - header_bytes));
        }
        builder_.reserve(count_);
        at_ = header_bytes;
        return true;
    }

    bool items() {
        while (at_ != end_) {
            item_at_ = at_;
            const auto first = static_cast<unsigned char>(bytes_[at_++]);
            bool read = false;
            if (first == item_loop) {
                read = loop();
            } else if (first == item_end) {
                strides_allowed_ = false;
                read = accept(builder_.end_loop());
            } else if (first == item_stride) {
                read = stride();
            } else {
                read = instruction(first & opcode_mask,
                                   static_cast<std::uint8_t>(first >> opcode_bits));
            }
            if (!read) return false;
        }
        return true;
    }

    bool loop() {
        std::uint64_t count = 0;
        strides_allowed_ = false;
        return number(count) && accept(builder_.begin_loop(count));
    }

    bool stride() {
        if (!strides_allowed_) return fail(item_at_, "a stride without an instruction before it");
        std::uint64_t operand = 0;
        std::uint64_t depth = 0;
        std::uint64_t step = 0;
        if (!number(operand) || !number(depth) || !number(step)) return false;
        if (operand >= stride_operand_count) {
            return fail(item_at_, fmt::format("stride operand {} is above {}", operand,
                                              stride_operand_count - 1));
        }
        return accept(
            builder_.stride(static_cast<Stride::Operand>(operand), depth, unfold_sign(step)));
    }

    bool instruction(unsigned opcode, std::uint8_t written) {
        if (opcode >= opcode_count) {
            return fail(item_at_, fmt::format("opcode {} is above {}", opcode, opcode_count - 1));
        }
        const InstructionInfo& row = instruction_table[opcode];
        if ((written & ~row.optional) != 0) {
            return fail(item_at_,
                        fmt::format("{} has an optional operand that it does not take", row.name));
        }
        Instruction made{.opcode = row.opcode, .written = written};
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
            if (const auto fault = find_fault(made)) return fail(item_at_, fault->what);
        }
        ++instructions_;
        strides_allowed_ = true;
        return accept(builder_.add(made));
    }

    bool operand(Instruction& made, Field field) {
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

    // Up to 2^35 - 1 in five bytes: every number of the form fits.
    bool number(std::uint64_t& value) {
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

    bool accept(const ProgramBuilder::Problem& problem) {
        return !problem || fail(item_at_, *problem);
    }

    bool fail(std::size_t at, const std::string& what) {
        error_ = bad_input(fmt::format("{}: byte {}", file_, at), what);
        return false;
    }

    std::string_view bytes_;
    const std::string& file_;
    ProgramBuilder builder_;
    std::size_t at_ = 0;
    std::size_t item_at_ = 0;
    std::size_t end_ = 0;  // of the items
    std::uint64_t count_ = 0;
    std::uint64_t instructions_ = 0;
    bool strides_allowed_ = false;
    std::optional<Error> error_;
};

}  // namespace

bool is_binary(std::string_view bytes) {
    return bytes.starts_with(magic);
}

std::string to_binary(const Program& program) {
    const Program whole = canonical(program);
    std::string out(magic);
    out += static_cast<char>(version);
    out += '\0';
    put_fixed(out, 0, 8);  // the length, once it is known
    put_fixed(out, whole.instructions.size(), 8);
    walk(
        whole,
        [&](std::uint32_t count) {
            out += static_cast<char>(item_loop);
            put_number(out, count);
        },
        [&] { out += static_cast<char>(item_end); },
        [&](std::size_t index, const std::vector<DepthStride>& strides) {
            put(out, whole.instructions[index]);
            for (const DepthStride& stride : strides) {
                out += static_cast<char>(item_stride);
                put_number(out, static_cast<std::uint64_t>(stride.operand));
                put_number(out, stride.depth);
                put_number(out, fold_sign(stride.step));
            }
        });
    std::string length;
    put_fixed(length, out.size() + checksum_bytes, 8);
    out.replace(length_at, length.size(), length);
    put_fixed(out, crc32(out), checksum_bytes);
    return out;
}

Result<Program> parse_binary(std::string_view bytes, const std::string& file) {
    if (bytes.size() > max_program_bytes) {
        return bad_input(
            file, fmt::format("{} bytes; allowed: up to {}", bytes.size(), max_program_bytes));
    }
    return Reader(bytes, file).read();
}

}  // namespace memside::pim
