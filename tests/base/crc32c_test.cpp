#include "base/crc32c.h"

#include <string_view>

#include <rapidcheck.h>

namespace memside {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::byte> ramp(int count, int first, int step) {
    std::vector<std::byte> bytes;
    for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(first + i * step));
    return bytes;
}

// The check value of CRC-32/ISCSI in the catalogue of parametrised CRC algorithms, and the examples
// of RFC 3720, appendix B.4: 32 zeros, 32 ones, rising and falling bytes.
TEST(Crc32c, published_values_are_met_by_both_ways) {
    const auto expect = [](std::span<const std::byte> bytes, std::uint32_t value) {
        EXPECT_EQ(crc32c(bytes), value);
        EXPECT_EQ(crc32c_by_table(bytes), value);
    };
    expect({}, 0);
    expect(bytes_of("123456789"), 0xE3069283U);
    expect(ramp(32, 0, 0), 0x8A9136AAU);
    expect(ramp(32, 255, 0), 0x62A8AB43U);
    expect(ramp(32, 0, 1), 0x46DD794EU);
    expect(ramp(32, 31, -1), 0x113FDB5CU);
}

TEST(Crc32c, the_instruction_and_the_table_agree_at_every_size_and_alignment) {
    std::vector<std::byte> bytes(20000);
    std::uint32_t state = 1;
    for (std::byte& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<std::byte>(state >> 24);
    }
    const std::span<const std::byte> all(bytes);
    for (const std::size_t start : {0U, 1U, 3U, 7U, 8U}) {
        for (std::size_t count = 0; count < 100; ++count) {
            const auto part = all.subspan(start, count);
            ASSERT_EQ(crc32c(part), crc32c_by_table(part)) << start << ' ' << count;
        }
        // Around the lengths at which parts go side by side.
        for (const std::size_t parts : {1U, 2U, 3U, 4U, 6U}) {
            for (std::size_t count = parts * 1024 - 9; count < parts * 1024 + 10; ++count) {
                const auto part = all.subspan(start, count);
                ASSERT_EQ(crc32c(part, 5), crc32c_by_table(part, 5)) << start << ' ' << count;
            }
        }
    }
}

TEST(Crc32c, a_checksum_goes_on_from_that_of_the_first_part) {
    rc::check("any cut", [](const std::string& text, std::size_t at) {
        const auto bytes = bytes_of(text);
        const std::size_t cut = at % (bytes.size() + 1);
        RC_ASSERT(crc32c(bytes.subspan(cut), crc32c(bytes.first(cut))) == crc32c(bytes));
    });
}

}  // namespace
}  // namespace memside
