// A GGUF header: any bytes give tensors inside the file and a sound model, or one line of error.
#include <cstdint>
#include <string_view>

#include "model/gguf_header.h"
#include "model_invariants.h"

namespace {

using memside::fuzz::require;
using memside::fuzz::require_one_line;

void parse(std::string_view bytes, std::uint64_t file_bytes) {
    const auto header = memside::parse_gguf_header(bytes, file_bytes, "x.gguf");
    if (!header.ok()) return require_one_line(header.error());
    std::int64_t total = 0;
    for (const memside::GgufTensor& tensor : header->tensors) {
        require(tensor.bytes > 0 && tensor.elements > 0, "tensors have a size");
        require(header->data_start + tensor.offset + static_cast<std::uint64_t>(tensor.bytes) <=
                    file_bytes,
                "tensors lie inside the file");
        total += tensor.bytes;
    }
    const auto spec = memside::model_from_gguf(*header, "x.gguf");
    if (!spec.ok()) return require_one_line(spec.error());
    memside::fuzz::require_sound(*spec);
    require(spec->weights.bytes() == total, "every tensor is counted once");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    parse(bytes, size);
    // As the beginning of a large file, so that tensors have room for their data.
    parse(bytes, size + (std::uint64_t{1} << 40));
    return 0;
}
