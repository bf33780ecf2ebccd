#include "pim/binary_form.h"

#include "base/text.h"
#include "pim/binary_parts.h"
#include "pim/program_builder.h"
#include "pim/program_walk.h"
#include "pim/text_reader.h"

namespace memside::pim {
namespace {

// The last two bytes of the magic break when a transfer takes the file for text.
constexpr std::string_view magic = "AiM\x1a\r\n";
constexpr unsigned char version = 1;

// First bytes of items that are no instruction.
constexpr std::uint8_t item_stride = 29;
constexpr std::uint8_t item_end = 30;
constexpr std::uint8_t item_loop = 31;

class Reader {
  public:
    Reader(std::string_view bytes, const std::string& file) : in_(bytes, file) {}

    Result<Program> read() {
        if (!in_.header(magic, version, "binary AiM program", "instructions")) return in_.error();
        builder_.reserve(in_.count());
        if (!items()) return in_.error();
        if (builder_.open_loops() != 0) {
            in_.fail(in_.end(), "a loop has no end");
            return in_.error();
        }
        if (instructions_ != in_.count()) {
            in_.fail(binary_count_at, fmt::format("{} instructions are announced, {} follow",
                                                  in_.count(), instructions_));
            return in_.error();
        }
        return std::move(builder_).finish();
    }

  private:
    // All functions that return bool have set the error when it is false.

    bool items() {
        while (!in_.done()) {
            item_at_ = in_.at();
            std::uint8_t first = 0;
            bool read = in_.byte(first);
            if (first == item_loop) {
                read = loop();
            } else if (first == item_end) {
                strides_allowed_ = false;
                read = accept(builder_.end_loop());
            } else if (first == item_stride) {
                read = stride();
            } else {
                read = instruction(first);
            }
            if (!read) return false;
        }
        return true;
    }

    bool loop() {
        std::uint64_t count = 0;
        strides_allowed_ = false;
        return in_.number(count) && accept(builder_.begin_loop(count));
    }

    bool stride() {
        if (!strides_allowed_) {
            return in_.fail(item_at_, "a stride without an instruction before it");
        }
        std::uint64_t operand = 0;
        std::uint64_t depth = 0;
        std::uint64_t step = 0;
        if (!in_.number(operand) || !in_.number(depth) || !in_.number(step)) return false;
        if (operand >= stride_operand_count) {
            return in_.fail(item_at_, fmt::format("stride operand {} is above {}", operand,
                                                  stride_operand_count - 1));
        }
        return accept(
            builder_.stride(static_cast<Stride::Operand>(operand), depth, unfold_sign(step)));
    }

    bool instruction(std::uint8_t first) {
        Instruction made;
        if (!in_.instruction(item_at_, first, made)) return false;
        ++instructions_;
        strides_allowed_ = true;
        return accept(builder_.add(made));
    }

    bool accept(const ProgramBuilder::Problem& problem) {
        return !problem || in_.fail(item_at_, *problem);
    }

    BinaryReader in_;
    ProgramBuilder builder_;
    std::size_t item_at_ = 0;
    std::uint64_t instructions_ = 0;
    bool strides_allowed_ = false;
};

}  // namespace

bool is_binary(std::string_view bytes) {
    return bytes.starts_with(magic);
}

std::string to_binary(const Program& program) {
    const Program whole = canonical(program);
    std::string out = begin_binary(magic, version, whole.instructions.size());
    walk(
        whole,
        [&](std::uint32_t count) {
            out += static_cast<char>(item_loop);
            put_number(out, count);
        },
        [&] { out += static_cast<char>(item_end); },
        [&](std::size_t index, const std::vector<DepthStride>& strides) {
            put_instruction(out, whole.instructions[index]);
            for (const DepthStride& stride : strides) {
                out += static_cast<char>(item_stride);
                put_number(out, static_cast<std::uint64_t>(stride.operand));
                put_number(out, stride.depth);
                put_number(out, fold_sign(stride.step));
            }
        });
    end_binary(out);
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
