// Any bytes as a layer program: one that is taken comes back from its text, and binds to
// operations.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "pnm/layer_program.h"

namespace {

using namespace memside;

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto root = parse_config(text, "fuzz.yaml");
    if (!root.ok()) return 0;
    const auto programs = pnm::parse_layer_programs(*root);
    if (!programs.ok()) {
        require(programs.error().message().find('\n') == std::string::npos);
        return 0;
    }
    const auto again = parse_config(pnm::layer_programs_text(*programs, "again"), "again.yaml");
    require(again.ok());
    require(pnm::parse_layer_programs(*again).value() == *programs);
    for (const pnm::LayerProgram& layer : {programs->selecting, programs->whole}) {
        for (const pnm::KernelCall& call : layer.calls) call.bind({});
    }
    return 0;
}
