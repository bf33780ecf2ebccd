// The file that holds a saved sequence, byte by byte: docs/saved-kv.md describes it. All numbers
// are little-endian, as in memory here.
//
//   header | token ids | table of layers | index: a CRC-32C per page piece | digests | pages
//
// Everything between the header and the pages of a layer lies where the counts of the header put
// it; the offsets in the file only repeat that.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/digest_store.h"
#include "engine/kv_store.h"

namespace memside::engine {

static_assert(std::endian::native == std::endian::little, "saved sequences are little-endian");

inline constexpr std::array<char, 8> saved_kv_magic{'M', 'E', 'M', 'S', 'I', 'D', 'E', 'K'};
inline constexpr std::uint32_t saved_kv_version = 1;
// Pages of a layer begin at a multiple of this: of the page size of every operating system in use.
inline constexpr std::uint64_t saved_kv_alignment = 65536;

struct SavedKvHeader {
    std::array<char, 8> magic = saved_kv_magic;
    std::uint32_t version = saved_kv_version;
    std::uint32_t header_crc = 0;  // of these 128 bytes, itself taken as 0
    std::uint64_t file_bytes = 0;
    std::uint64_t fingerprint = 0;  // model_fingerprint.h
    std::uint64_t tokens = 0;       // at least 1
    std::uint32_t layers = 0;
    std::uint32_t kv_heads = 0;
    std::uint32_t head_dim = 0;
    std::uint32_t page_tokens = 0;
    std::uint32_t value_type = 0;   // 0 f16, 1 bf16, 2 int8
    std::uint32_t digest_kind = 0;  // 0 minmax, 1 centre-max, 2 centre-mad, 3 centre-std
    std::uint32_t digest_type = 0;  // 0 f16, 1 int8
    float digest_coefficient = 0.0F;
    std::uint64_t piece_bytes = 0;             // of a page of one KV head: kv_page.h
    std::uint32_t contents_crc = 0;            // from the end of the header to the end of the index
    std::array<std::uint32_t, 11> reserved{};  // 0
};
static_assert(sizeof(SavedKvHeader) == 128);

struct SavedKvLayer {
    std::uint64_t kept_tokens = 0;  // 0: all; else a window slides, and older tokens are gone
    std::uint64_t first_page = 0;   // of those that are here
    std::uint64_t pages = 0;
    std::uint64_t pages_offset = 0;   // of their pieces, [pages][kv_heads]
    std::uint64_t digest_offset = 0;  // 0: none
    std::uint64_t digest_bytes = 0;
    std::uint32_t digest_crc = 0;
    std::uint32_t reserved = 0;
};
static_assert(sizeof(SavedKvLayer) == 56);

// What a file holds. The capacity of the shape is the number of tokens; the digests' layers are as
// many as the shape's.
struct SavedKvContents {
    std::uint64_t fingerprint = 0;
    KvShape shape;
    DigestConfig digests;

    std::int64_t tokens() const { return shape.capacity_tokens; }
};

struct SavedKvLayout {
    std::uint64_t tokens_offset = 0;
    std::uint64_t layers_offset = 0;
    std::uint64_t index_offset = 0;
    std::uint64_t index_end = 0;
    std::vector<SavedKvLayer> layers;        // without their checksums
    std::vector<std::uint64_t> first_index;  // of each layer, in entries of the index
    std::uint64_t file_bytes = 0;
};

// Where everything lies; nothing when it would not fit `most_bytes`. Memory is taken only for the
// layers of the shape.
std::optional<SavedKvLayout> saved_kv_layout(const SavedKvContents& contents,
                                             std::uint64_t most_bytes = UINT64_MAX / 4);

// The checksum of a header as it should be.
std::uint32_t header_crc(SavedKvHeader header);

// The codes of a value type in a header, and back: nothing for others.
std::uint32_t saved_type_code(kv::ValueType type);
std::optional<kv::ValueType> saved_type(std::uint32_t code);

}  // namespace memside::engine
