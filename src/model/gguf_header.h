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

// A metadata value. Integers are widened to 64 bits; an array holds elements of one type.
using GgufArray = std::variant<std::vector<std::int64_t>, std::vector<std::uint64_t>,
                               std::vector<double>, std::vector<bool>, std::vector<std::string>>;
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
    int part = 0;  // of a split file, from 0: the file whose data section `offset` is in
};

// One of the files that a model is split into; an unsplit one is its own only part.
struct GgufPart {
    std::string path;
    std::uint64_t data_start = 0;  // file offset of the data section
};

struct GgufHeader {
    std::uint32_t version = 0;
    std::map<std::string, GgufValue, std::less<>> metadata;
    std::vector<GgufTensor> tensors;
    std::uint64_t data_start = 0;  // file offset of the data section; that of part 0 when split
    std::uint64_t file_bytes = 0;  // of all parts
    std::vector<GgufPart> parts;   // by GgufTensor::part; filled by read_gguf_header() only
};

// Parses a header that starts at bytes[0]. `file_bytes` is the size of the whole file, of which
// `bytes` may be the beginning: every count, length and tensor extent is checked against it, and
// memory stays within a small multiple of bytes.size(). A part of a split file is read on its own.
Result<GgufHeader> parse_gguf_header(std::string_view bytes, std::uint64_t file_bytes,
                                     const std::string& file);

// Reads the header of a file, or of the first of its split parts ("-00001-of-00005.gguf") with the
// tensor tables of all parts joined.
Result<GgufHeader> read_gguf_header(const std::string& path);

// The model that a header describes: shape from the metadata, weight bytes from the tensor table.
// Every tensor that the architecture needs must be there with its shape. A tensor that none of the
// parts of ModelWeights is made for (rope_freqs.weight, say) counts among the norms, so that
// weights.bytes() is the size of all tensors.
Result<ModelSpec> model_from_gguf(const GgufHeader& header, const std::string& file);

}  // namespace memside
