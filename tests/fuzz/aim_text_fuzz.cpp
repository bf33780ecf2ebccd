// Any bytes as an AiM program in text: an error of one line, or a program in range that both forms
// keep.
#include <cstdint>
#include <string_view>

#include "aim_program.h"
#include "pim/text_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto program = memside::pim::parse_text(text, "fuzz.aim");
    if (program.ok()) {
        memside::fuzz::require_kept(*program);
    } else {
        memside::fuzz::require_one_line(program.error());
    }
    return 0;
}
