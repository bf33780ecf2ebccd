// Any bytes as a dynamic program in binary form: an error of one line, or a valid program that its
// form keeps, lists and expands without leaving the device. Bytes are tried as they are and with
// the length and the checksum that they would need, so that the search is not stopped by these.
#include <cstdint>
#include <cstring>
#include <string>

#include "base/checksum.h"
#include "check.h"
#include "pim/dynamic/dynamic_binary.h"
#include "pim/dynamic/dynamic_text.h"
#include "pim/dynamic/expansion.h"
#include "pim/instruction_table.h"

namespace {

using namespace memside;

// Ends an expansion after some instructions: loops may be long.
struct Checker : pim::Sink {
    int left = 2'000;
    Status instruction(const pim::Instruction& instruction) override {
        fuzz::require(!pim::find_fault(instruction), "operands are in range in every iteration");
        return count();
    }
    Status hub(const pim::HubCall& call) override {
        fuzz::require(!pim::find_fault(call.hub, call.tokens), "the hub stays in the registers");
        return count();
    }
    Status count() {
        if (--left > 0) return {};
        return bad_input("fuzz", "enough");
    }
};

void parse(const std::string& bytes) {
    const auto program = pim::parse_dynamic_binary(bytes, "fuzz.bin");
    if (!program.ok()) return fuzz::require_one_line(program.error());
    fuzz::require(pim::to_binary(*program) == bytes, "a program has one binary form");
    fuzz::require(pim::validate(*program, "fuzz").ok(), "what the reader accepts is valid");
    fuzz::require(!pim::to_text(*program).empty(), "a program can be listed");
    const pim::Expander expander(*program);
    std::vector<pim::RowTable> tables(program->regions.size());
    for (pim::RowTable& table : tables) {
        table = pim::RowTable::identity(0, 64, program->chunk_rows);
    }
    for (const std::uint64_t tokens : {1U, 100U}) {
        if (program->max_tokens != 0 && tokens > program->max_tokens) continue;
        for (const pim::ExecutionEntry& entry : program->entries) {
            Checker checker;
            const Status status = expander.run(entry, tokens, tables, checker);
            if (!status.ok()) fuzz::require_one_line(status.error());
        }
    }
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
    const std::uint32_t checksum = crc32(std::string_view(bytes).substr(0, size - checksum_bytes));
    std::memcpy(bytes.data() + size - checksum_bytes, &checksum, sizeof checksum);
    parse(bytes);
    return 0;
}
