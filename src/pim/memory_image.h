// A file with the content of parts of a module's memory: what `memside aim exec` reads and writes.
//
// First a header line of JSON, {"regions": [...]}, padded with spaces to a multiple of 4,096 bytes
// (the last may be a line feed), then the bf16 values of the regions in their order, little-endian,
// nothing between them and nothing after. A region:
//   space    "bank", "gpr" or "gbuf"
//   channel  0 to 31; not for gpr
//   bank, row  only for bank
//   col      first 32-byte column of the row, GBuf entry or register; 0 when left out
//   count    bf16 values from there on, running on over columns or entries, not over the row's end
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pim/functional_machine.h"

namespace memside::pim {

inline constexpr std::size_t image_alignment = 4096;                  // bytes, of the values
inline constexpr std::size_t max_image_bytes = std::size_t{4} << 30;  // assumed: what fits in RAM
inline constexpr std::size_t max_header_bytes = std::size_t{16} << 20;

struct ImageRegion {
    Place start;              // a bank column, a GBuf entry or a register
    std::uint32_t count = 0;  // bf16 values, 1 and more

    friend bool operator==(const ImageRegion&, const ImageRegion&) = default;
};

struct MemoryImage {
    std::vector<ImageRegion> regions;
    std::vector<Bf16> values;  // of all regions, one after the other

    friend bool operator==(const MemoryImage&, const MemoryImage&) = default;
};

// Reads a header alone, padded or not. bad_input at file:line or file for anything but regions in
// range; unknown keys are refused.
Result<std::vector<ImageRegion>> parse_regions(std::string_view text, const std::string& file);

// Reads a whole image; the values must be exactly as many as the regions count.
Result<MemoryImage> parse_memory_image(std::string_view bytes, const std::string& file);

// The bytes of an image. values.size() is the sum of the regions' counts.
std::string encode_memory_image(const MemoryImage& image);

// Writes the image's values into memory; where regions overlap, the later one stays.
void load_image(const MemoryImage& image, Memory& memory);

// The regions' values. What was never written is 0 and goes into `unwritten`, as read by no
// instruction.
MemoryImage take_image(const std::vector<ImageRegion>& regions, const Memory& memory,
                       UninitialisedReads& unwritten);

}  // namespace memside::pim
