// config.json: any bytes give a sound model or one line of error.
#include <cstdint>
#include <string_view>

#include "model/hf_config.h"
#include "model_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto spec = memside::parse_hf_config(text, "config.json", "fuzz");
    if (spec.ok()) {
        memside::fuzz::require_sound(*spec);
    } else {
        memside::fuzz::require_one_line(spec.error());
    }
    return 0;
}
