// The header of a GGUF file (versions 2 and 3, little-endian): metadata and tensor table, no data.
// Format: the GGUF specification of the ggml project.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/model_spec.h"

namespace memside {

// A metadata value. Integers are widened to 64 bits, arrays hold one element type.
struct GgufValue;
using GgufArray = std::vector<GgufValue>;
struct GgufValue {
    std::variant<std::int64_t, std::uint64_t, double, bool, std::string, GgufArray> data;
};

struct GgufTensor {
    std::string name;
    std::vector<std::int64_t> dims;  // dims[0] is the row length
    std::uint32_t type = 0;          // ggml type id
    std::uint64_t offset = 0;        // from the start of the data section
    std::int64_t elements = 0;
    std::int64_t bytes = 0;
};

struct GgufHeader {
    std::uint32_t version = 0;
    std::map<std::string, GgufValue, std::less<>> metadata;
    std::vector<GgufTensor> tensors;
    std::uint64_t data_start = 0;  // file offset of the data section
    std::uint64_t file_bytes = 0;
};

// Parses a header that starts at bytes[0]. `file_bytes` is the size of the whole file: every count,
// length and tensor extent is checked against it.
Result<GgufHeader> parse_gguf_header(std::string_view bytes, std::uint64_t file_bytes,
                                     const std::string& file);

// Reads the header of a file, or of the first of its split parts ("-00001-of-00005.gguf") with the
// tensor tables of all parts joined.
Result<GgufHeader> read_gguf_header(const std::string& path);

// The model that a header describes: shape from the metadata, weight bytes from the tensor table.
Result<ModelSpec> model_from_gguf(const GgufHeader& header, const std::string& file);

}  // namespace memside
