#include "pim/text_reader.h"

#include <cstring>

#include "base/text.h"
#include "pim/program_builder.h"
#include "pim/text_tables.h"

namespace memside::pim {
namespace {

constexpr bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}
constexpr bool is_end(char c) {
    return c == '\n' || c == '#';
}
constexpr bool ends_word(char c) {
    return is_blank(c) || is_end(c);
}

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return result;
}

std::string nearest_of_any_case(std::string_view word, const std::vector<std::string>& names) {
    constexpr std::size_t longest_compared = 20;  // the longest name has 13
    if (word.size() > longest_compared) return "";
    std::vector<std::string> uppers;
    for (const std::string& name : names) uppers.push_back(upper(name));
    const auto found = std::find(uppers.begin(), uppers.end(), nearest(upper(word), uppers));
    return found == uppers.end() ? "" : names[static_cast<std::size_t>(found - uppers.begin())];
}

class Reader {
  public:
    Reader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    Result<Program> read() {
        const auto lines = static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n'));
        builder_.reserve(std::min(lines + 1, text_.size() / 8 + 1));  // "R GPR 0\n"
        // Every scan ends at a line feed: the last line gets one in a copy.
        const std::size_t whole = text_.rfind('\n') + 1;
        std::string tail(text_.substr(whole));
        tail += '\n';
        if (!lines_of(text_.substr(0, whole), 0) || !lines_of(tail, whole)) return *error_;
        if (builder_.open_loops() != 0) {
            fail_at(loop_offsets_.back(), "LOOP without END");
            return *error_;
        }
        return std::move(builder_).finish();
    }

  private:
    // All functions that return bool have set error_ when it is false.

    bool lines_of(std::string_view part, std::size_t offset) {
        part_ = part.data();
        offset_ = offset;
        at_ = part_;
        const char* end = part_ + part.size();
        while (at_ != end) {
            skip_blanks();
            if (!is_end(*at_) && !statement()) return false;
            if (*at_ != '\n') {
                at_ = static_cast<const char*>(
                    std::memchr(at_, '\n', static_cast<std::size_t>(end - at_)));
            }
            ++at_;
        }
        return true;
    }

    void skip_blanks() {
        while (is_blank(*at_)) ++at_;
    }

    std::string_view word_at(const char* from) const {
        const char* to = from;
        while (!ends_word(*to)) ++to;
        return {from, static_cast<std::size_t>(to - from)};
    }

    bool statement() {
        const char* start = at_;
        while (!ends_word(*at_)) ++at_;
        const std::string_view first(start, static_cast<std::size_t>(at_ - start));
        if (first == "LOOP") return loop(start);
        if (first == "END") {
            if (auto problem = builder_.end_loop()) return fail(start, *problem);
            loop_offsets_.pop_back();
            return end_of_line("END");
        }
        skip_blanks();
        const char* second = at_;
        std::uint64_t letters = 0;
        for (; !ends_word(*at_); ++at_) letters = letters << 8 | static_cast<unsigned char>(*at_);
        const std::uint8_t index = word_table.opcodes[slot_of(*start, letters, word_table.factor)];
        if (index < opcode_count) {
            const std::string_view name = instruction_table[index].name;
            const auto length = static_cast<std::size_t>(at_ - second);
            if (first.size() + 1 + length == name.size() &&
                std::memcmp(name.data(), start, first.size()) == 0 &&
                std::memcmp(name.data() + first.size() + 1, second, length) == 0 &&
                name[first.size()] == ' ') {
                return instruction(instruction_table[index], operand_sources[index], start);
            }
        }
        return unknown(start, first, second);
    }

    bool instruction(const InstructionInfo& row, const OperandSources& from, const char* start) {
        std::array<std::uint32_t, max_operands + 2> values{0, 0, 0, 0, 0, 1};
        std::array<const char*, max_operands> places{};
        for (std::size_t i = 0; i < row.operand_count; ++i) {
            skip_blanks();
            if (is_end(*at_)) return missing(row, i);
            places[i] = at_;
            if (!number(values[i], info(row.operands[i]).name)) return false;
            if (values[i] - from.low[i] > from.span[i]) {
                return fail(places[i], find_fault({.opcode = row.opcode, .gpr = values[from.gpr]},
                                                  row.operands[i], values[i])
                                           ->what);
            }
        }
        Instruction made{.opcode = row.opcode};
        made.opsize = values[from.opsize];
        made.mask = values[from.mask];
        made.bank = static_cast<std::uint8_t>(values[from.bank]);
        made.channel = static_cast<std::uint8_t>(values[from.channel]);
        made.row = values[from.row];
        made.gpr = values[from.gpr];
        made.gpr2 = values[from.gpr2];
        skip_blanks();
        if (!is_end(*at_) && !optional_operands(row, made)) return false;
        if (!reaches_surely(made) && !check_together(row, made, places)) return false;
        if (auto problem = builder_.add(made)) return fail(start, *problem);
        return is_end(*at_) || strides(row);
    }

    bool check_together(const InstructionInfo& row, const Instruction& made,
                        const std::array<const char*, max_operands>& places) {
        const auto fault = find_fault(made);  // each operand is in range by itself
        if (!fault) return true;
        for (std::size_t i = 0; i < row.operand_count; ++i) {
            if (row.operands[i] == fault->field) return fail(places[i], fault->what);
        }
        // A GBuf entry that is not written is the column's.
        const bool gbuf = fault->field == Field::gbuf && (made.written & optional_gbuf) != 0;
        return fail(optional_places_[gbuf ? 1 : 0], fault->what);
    }

    // `col=C gb=G out=O`, in any order; stops before a stride.
    bool optional_operands(const InstructionInfo& row, Instruction& made) {
        static constexpr struct {
            std::string_view key;
            Optional bit;
            Field field;
        } known[] = {{"col", optional_column, Field::column},
                     {"gb", optional_gbuf, Field::gbuf},
                     {"out", optional_out, Field::out}};
        for (; !is_end(*at_); skip_blanks()) {
            const char* start = at_;
            while (*at_ >= 'a' && *at_ <= 'z') ++at_;
            const std::string_view key(start, static_cast<std::size_t>(at_ - start));
            if (*at_ == '+' && at_[1] == '=') {
                at_ = start;
                break;
            }
            std::size_t i = 0;
            while (i < 3 && known[i].key != key) ++i;
            if (i == 3 || *at_ != '=') return unexpected(row, start);
            if ((row.optional & known[i].bit) == 0) {
                return fail(start, fmt::format("{} has no {}=", row.name, key));
            }
            if ((made.written & known[i].bit) != 0) {
                return fail(start, fmt::format("{}= is given twice", key));
            }
            const char* place = ++at_;
            std::uint32_t value = 0;
            if (!number(value, key)) return false;
            if (value > info(known[i].field).high) {
                return fail(place, find_fault({.opcode = row.opcode}, known[i].field, value)->what);
            }
            optional_places_[i] = place;
            made.written = static_cast<std::uint8_t>(made.written | known[i].bit);
            if (i == 0) made.column = static_cast<std::uint16_t>(value);
            if (i == 1) made.gbuf = static_cast<std::uint16_t>(value);
            if (i == 2) made.out = value;
        }
        if ((made.written & optional_gbuf) == 0 && (row.optional & optional_gbuf) != 0) {
            made.gbuf = made.column % gbuf_entries;
        }
        return true;
    }

    // `row+=S` and `row+=S@2`.
    bool strides(const InstructionInfo& row) {
        for (; !is_end(*at_); skip_blanks()) {
            const char* start = at_;
            while (*at_ >= 'a' && *at_ <= 'z') ++at_;
            const std::string_view key(start, static_cast<std::size_t>(at_ - start));
            std::size_t operand = 0;
            while (operand < stride_operand_count &&
                   stride_name(static_cast<Stride::Operand>(operand)) != key) {
                ++operand;
            }
            if (operand == stride_operand_count || *at_ != '+' || at_[1] != '=') {
                return unexpected(row, start);
            }
            at_ += 2;
            const bool negative = *at_ == '-';
            if (negative) ++at_;
            std::uint32_t step = 0;
            if (!number(step, "step", '@')) return false;
            std::uint32_t depth = 1;
            if (*at_ == '@') {
                ++at_;
                if (!number(depth, "loop")) return false;
            }
            const std::int64_t signed_step = negative ? -std::int64_t{step} : std::int64_t{step};
            if (auto problem =
                    builder_.stride(static_cast<Stride::Operand>(operand), depth, signed_step)) {
                return fail(start, *problem);
            }
        }
        return true;
    }

    bool loop(const char* start) {
        skip_blanks();
        if (is_end(*at_)) return fail(at_, "LOOP needs its number of iterations");
        const char* place = at_;
        std::uint32_t count = 0;
        if (!number(count, "iterations")) return false;
        if (auto problem = builder_.begin_loop(count)) return fail(place, *problem);
        loop_offsets_.push_back(offset_of(start));
        return end_of_line("LOOP");
    }

    bool end_of_line(std::string_view after) {
        skip_blanks();
        if (is_end(*at_)) return true;
        return fail(at_, fmt::format("unexpected {} after {}", in_quotes(word_at(at_)), after));
    }

    // At a decimal or 0x number up to 2^32 - 1 that ends with the word, or at `also`.
    bool number(std::uint32_t& value, std::string_view name, char also = '\n') {
        const char* start = at_;
        std::uint64_t result = 0;
        if (*at_ == '0' && (at_[1] | 0x20) == 'x') {
            at_ += 2;
            const char* digits = at_;
            for (;; ++at_) {
                const auto c = static_cast<unsigned char>(*at_);
                unsigned digit = c - '0';
                if (digit > 9) {
                    digit = (c | 0x20U) - 'a' + 10;
                    if (digit < 10 || digit > 15) break;
                }
                result = result << 4 | digit;
                if (result > UINT32_MAX) break;
            }
            if (at_ == digits) return no_number(start, name);
        } else {
            for (;; ++at_) {
                const unsigned digit = static_cast<unsigned char>(*at_) - unsigned{'0'};
                if (digit > 9) break;
                result = result * 10 + digit;
                if (result > UINT32_MAX) break;
            }
            if (at_ == start) return no_number(start, name);
        }
        if (result > UINT32_MAX) {
            return fail(start, fmt::format("{} {} is above {}", name, word_at(start).substr(0, 40),
                                           UINT32_MAX));
        }
        if (!ends_word(*at_) && *at_ != also) return no_number(start, name);
        value = static_cast<std::uint32_t>(result);
        return true;
    }

    [[gnu::cold]] bool no_number(const char* start, std::string_view name) {
        return fail(start, fmt::format("{} must be a number, decimal or 0x hex, not {}", name,
                                       in_quotes(word_at(start))));
    }

    [[gnu::cold]] bool missing(const InstructionInfo& row, std::size_t operand) {
        std::string all;
        for (std::size_t i = 0; i < row.operand_count; ++i) {
            all += fmt::format(" {}", info(row.operands[i]).name);
        }
        return fail(at_, fmt::format("{} is missing; {} takes{}", info(row.operands[operand]).name,
                                     row.name, all));
    }

    [[gnu::cold]] bool unexpected(const InstructionInfo& row, const char* start) {
        std::vector<std::string> allowed;
        if ((row.optional & optional_column) != 0) allowed.emplace_back("col=");
        if ((row.optional & optional_gbuf) != 0) allowed.emplace_back("gb=");
        if ((row.optional & optional_out) != 0) allowed.emplace_back("out=");
        for (std::size_t i = 0; i < stride_operand_count; ++i) {
            if (row.has(stride_fields[i])) {
                allowed.push_back(
                    fmt::format("{}+=", stride_name(static_cast<Stride::Operand>(i))));
            }
        }
        return fail(start, fmt::format("unexpected {} after the operands of {}; allowed: {}",
                                       in_quotes(word_at(start)), row.name,
                                       allowed.empty() ? "nothing" : join(allowed, ", ")));
    }

    [[gnu::cold]] bool unknown(const char* start, std::string_view first, const char* second) {
        std::string given(first);
        const std::string_view rest = word_at(second);
        std::vector<std::string> names{"LOOP", "END"};
        bool starts_one = false;
        for (const InstructionInfo& row : instruction_table) {
            names.emplace_back(row.name);
            starts_one = starts_one || row.name.starts_with(given + " ");
        }
        if (!rest.empty()) given += fmt::format(" {}", rest);
        // "LOPP 4" is like "LOOP", "AiM MAC 8" like "AiM MAC_ABK", "aim eoc" like "AiM EOC".
        std::string near = nearest_of_any_case(given, names);
        if (near.empty() && !starts_one) near = nearest_of_any_case(first, names);
        return fail(start, fmt::format("unknown instruction {}{}", in_quotes(given),
                                       near.empty() ? hint("", names)
                                                    : fmt::format("; did you mean '{}'?", near)));
    }

    std::size_t offset_of(const char* place) const {
        return static_cast<std::size_t>(place - part_) + offset_;
    }

    [[gnu::cold]] bool fail(const char* place, const std::string& what) {
        return fail_at(offset_of(place), what);
    }

    [[gnu::cold]] bool fail_at(std::size_t offset, const std::string& what) {
        const std::string_view before = text_.substr(0, offset);
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const std::size_t column = offset - (before.rfind('\n') + 1) + 1;
        error_ = bad_input(fmt::format("{}:{}:{}", file_, line, column), what);
        return false;
    }

    std::string_view text_;
    const std::string& file_;
    ProgramBuilder builder_;
    std::vector<std::size_t> loop_offsets_;
    std::array<const char*, 3> optional_places_{};  // of what this line's `written` has
    const char* part_ = nullptr;                    // the lines being read, and where they begin
    std::size_t offset_ = 0;
    const char* at_ = nullptr;
    std::optional<Error> error_;
};

}  // namespace

Result<Program> parse_text(std::string_view text, const std::string& file) {
    if (text.size() > max_program_bytes) {
        return bad_input(file, fmt::format("{} bytes of text; allowed: up to {}", text.size(),
                                           max_program_bytes));
    }
    return Reader(text, file).read();
}

}  // namespace memside::pim
