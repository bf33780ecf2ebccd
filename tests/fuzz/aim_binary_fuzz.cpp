// Any bytes as an AiM program in binary form: an error of one line, or a program in range that both
// forms keep. Bytes are tried as they are and with the length and the checksum that they would
// need, so that the search is not stopped by these.
#include <cstdint>
#include <cstring>
#include <string>

#include "aim_program.h"
#include "base/checksum.h"
#include "pim/binary_form.h"

namespace {

void parse(const std::string& bytes) {
    const auto program = memside::pim::parse_binary(bytes, "fuzz.bin");
    if (!program.ok()) return memside::fuzz::require_one_line(program.error());
    memside::fuzz::require_kept(*program);
    memside::fuzz::require(memside::pim::to_binary(*program) == bytes,
                           "a program has one binary form");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes(reinterpret_cast<const char*>(data), size);
    parse(bytes);
    constexpr std::size_t length_at = 8;
    constexpr std::size_t checksum_bytes = 4;
    if (size < 24 + checksum_bytes) return 0;
    const std::uint64_t length = size;
    std::memcpy(bytes.data() + length_at, &length, sizeof length);
    const std::uint32_t checksum =
        memside::crc32(std::string_view(bytes).substr(0, size - checksum_bytes));
    std::memcpy(bytes.data() + size - checksum_bytes, &checksum, sizeof checksum);
    parse(bytes);
    return 0;
}
