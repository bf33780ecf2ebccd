#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace memside {
namespace {

using Table = std::array<std::uint32_t, 256>;

constexpr Table byte_table = [] {
    Table table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = value >> 1 ^ ((value & 1U) != 0 ? 0x82F63B78U : 0);
        }
        table[i] = value;
    }
    return table;
}();

std::uint32_t after_byte(std::uint32_t state, std::uint32_t byte) {
    return state >> 8 ^ byte_table[(state ^ byte) & 0xFFU];
}

#if defined(__x86_64__)

// The instruction takes three cycles and one can begin every cycle: three neighbouring parts of
// this many bytes go side by side.
constexpr std::size_t part = 1024;
static_assert(part % 8 == 0);

// What `part` zero bytes make of a state. The map is linear: a table for each byte of the state.
class Shift {
  public:
    Shift() {
        for (std::uint32_t byte = 0; byte < 4; ++byte) {
            for (std::uint32_t value = 0; value < 256; ++value) {
                std::uint32_t state = value << 8 * byte;
                for (std::size_t i = 0; i < part; ++i) state = after_byte(state, 0);
                tables_[byte][value] = state;
            }
        }
    }

    std::uint32_t operator()(std::uint32_t state) const {
        return tables_[0][state & 0xFFU] ^ tables_[1][state >> 8 & 0xFFU] ^
               tables_[2][state >> 16 & 0xFFU] ^ tables_[3][state >> 24];
    }

  private:
    std::array<Table, 4> tables_{};
};

__attribute__((target("sse4.2"))) std::uint64_t after_word(std::uint64_t state,
                                                           const std::byte* from) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof word);
    return _mm_crc32_u64(state, word);
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const std::byte* from,
                                                               std::size_t count,
                                                               std::uint32_t state) {
    static const Shift shift;
    for (; count >= 3 * part; from += 3 * part, count -= 3 * part) {
        std::uint64_t a = state;
        std::uint64_t b = 0;
        std::uint64_t c = 0;
        for (std::size_t i = 0; i < part; i += 8) {
            a = after_word(a, from + i);
            b = after_word(b, from + part + i);
            c = after_word(c, from + 2 * part + i);
        }
        state = shift(shift(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b)) ^
                static_cast<std::uint32_t>(c);
    }
    for (; count >= 8; from += 8, count -= 8) {
        state = static_cast<std::uint32_t>(after_word(state, from));
    }
    for (; count > 0; ++from, --count) {
        state = _mm_crc32_u8(state, static_cast<unsigned char>(*from));
    }
    return state;
}

bool has_instruction() {
    static const bool has = [] {
        __builtin_cpu_init();
        return __builtin_cpu_supports("sse4.2") != 0;
    }();
    return has;
}

#endif

}  // namespace

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before) {
    std::uint32_t state = ~before;
    for (const std::byte byte : bytes) state = after_byte(state, std::to_integer<unsigned>(byte));
    return ~state;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
#if defined(__x86_64__)
    if (has_instruction()) return ~by_instruction(bytes.data(), bytes.size(), ~before);
#endif
    return crc32c_by_table(bytes, before);
}

}  // namespace memside
