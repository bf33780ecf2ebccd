// The file format of recorded page scores, version 1 (docs/scores.md): what the writer and the
// reader share. One line of JSON, then records of little-endian 32-bit words, then an end record
// with their number and a checksum, so that a file that was cut anywhere is not mistaken for one.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace memside::kv {

static_assert(std::endian::native == std::endian::little, "score files are little-endian");

inline constexpr std::size_t max_score_header_bytes = 4096;
inline constexpr std::int64_t max_score_requests = 65536;
inline constexpr std::int64_t max_score_layers = 4096;
inline constexpr std::int64_t max_score_page_tokens = 65536;

struct ScoreFileHeader {
    std::string model;                // name, for messages and reports
    std::int64_t context_tokens = 0;  // tokens in the cache at step 0, of every request
    std::int64_t page_tokens = 0;
    std::int64_t requests = 0;
    std::int64_t layers = 0;  // recorded ones: those that select, numbered from 0
};

// The words before the scores of a record: `pages` f32 scores follow.
struct ScoreRecord {
    std::uint32_t request = 0;
    std::uint32_t layer = 0;
    std::uint32_t step = 0;
    std::uint32_t pages = 0;
};
inline constexpr std::uint32_t end_mark = 0xFFFFFFFF;  // `request` of the end record

// Follows the end record's words, whose layer, step and pages are 0.
struct ScoreFileEnd {
    std::uint64_t records = 0;
    std::uint64_t checksum = 0;
};
static_assert(sizeof(ScoreRecord) == 16 && sizeof(ScoreFileEnd) == 16);

// The header line, its line feed included, padded with blanks to whole 32-bit words. The header
// must be in range.
std::string encode_score_header(const ScoreFileHeader& header);

// Reads the header line, without its line feed. bad_input at `where` for anything but a complete
// header of this version with values in range.
Result<ScoreFileHeader> parse_score_header(std::string_view line, const std::string& where);

// FNV-1a (Fowler, Noll and Vo) over 32-bit words in place of bytes, over everything before the
// ScoreFileEnd. `bytes` in whole words.
class ScoreChecksum {
  public:
    void add(std::string_view bytes);
    std::uint64_t value() const { return value_; }

  private:
    std::uint64_t value_ = 0xCBF29CE484222325ULL;
};

}  // namespace memside::kv
