#include "engine/saved_kv_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/crc32c.h"
#include "base/number.h"
#include "kv/digest.h"

namespace memside::engine {
namespace {

// Far above any model, and small enough for sums of products to fit 64 bits.
constexpr std::uint32_t most_layers = 1U << 16;
constexpr std::uint64_t most_values = 1U << 20;  // KV heads x head dimension

Result<SavedKvHeader> read_header(std::span<const std::byte> bytes, const std::string& path) {
    SavedKvHeader header;
    const std::size_t mark = std::min(bytes.size(), header.magic.size());
    if (mark == 0 || std::memcmp(bytes.data(), saved_kv_magic.data(), mark) != 0) {
        return bad_input(path, "is not a saved sequence of keys and values (--kv-save makes one)");
    }
    if (bytes.size() < sizeof header) {
        return bad_input(path, fmt::format("is cut short: {} bytes, less than a header of {}",
                                           bytes.size(), sizeof header));
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.version != saved_kv_version) {
        return bad_input(path, fmt::format("has version {} of the format; this program reads {}",
                                           header.version, saved_kv_version));
    }
    const std::uint32_t crc = header_crc(header);
    if (crc != header.header_crc) {
        return bad_input(path, fmt::format("the header is damaged: its CRC-32C is {:08x}, "
                                           "saved as {:08x}",
                                           crc, header.header_crc));
    }
    if (header.file_bytes != bytes.size()) {
        return bad_input(path, fmt::format("has {} bytes, its header says {}: it is not whole",
                                           bytes.size(), header.file_bytes));
    }
    return header;
}

// A header whose checksum is right can still be nobody's: each count is checked.
Result<SavedKvContents> contents_of(const SavedKvHeader& header, const std::string& path) {
    const auto impossible = [&](const char* what, std::uint64_t value) {
        return bad_input(path, fmt::format("the header has an impossible {}: {}", what, value));
    };
    SavedKvContents contents;
    contents.fingerprint = header.fingerprint;
    if (header.tokens < 1 || header.tokens > static_cast<std::uint64_t>(max_tokens)) {
        return impossible("number of tokens", header.tokens);
    }
    if (header.layers < 1 || header.layers > most_layers) {
        return impossible("number of layers", header.layers);
    }
    if (header.kv_heads < 1 || header.kv_heads > most_values) {
        return impossible("number of KV heads", header.kv_heads);
    }
    if (header.head_dim < 1 || header.head_dim > most_values / header.kv_heads) {
        return impossible("head dimension", header.head_dim);
    }
    if (!std::has_single_bit(header.page_tokens) || header.page_tokens < min_page_tokens ||
        header.page_tokens > max_page_tokens) {
        return impossible("page size", header.page_tokens);
    }
    const auto type = saved_type(header.value_type);
    if (!type) return impossible("type of values", header.value_type);
    if (header.digest_kind >= kv::digest_kind_names().size()) {
        return impossible("kind of digests", header.digest_kind);
    }
    if (header.digest_type >= kv::digest_type_names().size()) {
        return impossible("type of digests", header.digest_type);
    }
    for (const std::uint32_t value : header.reserved) {
        if (value != 0) return impossible("reserved field", value);
    }
    KvShape& shape = contents.shape;
    shape.kv_heads = static_cast<int>(header.kv_heads);
    shape.head_dim = static_cast<int>(header.head_dim);
    shape.page_tokens = header.page_tokens;
    shape.capacity_tokens = static_cast<std::int64_t>(header.tokens);
    shape.type = *type;
    if (header.piece_bytes != static_cast<std::uint64_t>(shape.page_bytes())) {
        return impossible("size of a page", header.piece_bytes);
    }
    contents.digests.kind = static_cast<kv::DigestKind>(header.digest_kind);
    contents.digests.type = static_cast<kv::DigestType>(header.digest_type);
    contents.digests.coefficient = header.digest_coefficient;
    return contents;
}

// Everything but the checksum of digests, which says nothing about where things lie.
bool same_place(SavedKvLayer stored, const SavedKvLayer& computed) {
    stored.digest_crc = 0;
    return std::memcmp(&stored, &computed, sizeof stored) == 0;
}

}  // namespace

Result<SavedKv> SavedKv::parse(std::span<const std::byte> bytes, const std::string& path) {
    MEMSIDE_TRY(const SavedKvHeader header, read_header(bytes, path));
    SavedKv saved;
    saved.bytes_ = bytes;
    saved.path_ = path;
    MEMSIDE_TRY(saved.contents_, contents_of(header, path));
    const Error contradiction =
        bad_input(path, "the header contradicts the table of layers, or the file's size");
    // The table says how many tokens a layer keeps and which have digests; all else follows.
    const std::uint64_t table =
        (sizeof header + 4 * header.tokens + 63) / 64 * 64;  // at most 2^32: no overflow
    const std::uint64_t table_bytes = std::uint64_t{header.layers} * sizeof(SavedKvLayer);
    if (table + table_bytes > bytes.size()) return contradiction;
    std::vector<SavedKvLayer> stored(header.layers);
    std::memcpy(stored.data(), bytes.data() + table, table_bytes);
    for (const SavedKvLayer& layer : stored) {
        if (layer.kept_tokens > static_cast<std::uint64_t>(max_tokens)) return contradiction;
        saved.contents_.shape.kept_tokens.push_back(static_cast<std::int64_t>(layer.kept_tokens));
        saved.contents_.digests.layers.push_back(layer.digest_offset != 0);
    }
    auto layout = saved_kv_layout(saved.contents_, bytes.size());
    if (!layout || layout->file_bytes != bytes.size()) return contradiction;
    for (std::size_t layer = 0; layer < stored.size(); ++layer) {
        if (!same_place(stored[layer], layout->layers[layer])) return contradiction;
        layout->layers[layer].digest_crc = stored[layer].digest_crc;
    }
    saved.layout_ = std::move(*layout);
    const std::uint32_t crc =
        crc32c(bytes.subspan(sizeof header, saved.layout_.index_end - sizeof header));
    if (crc != header.contents_crc) {
        return bad_input(path, fmt::format("token ids, layers or index are damaged: their CRC-32C "
                                           "is {:08x}, saved as {:08x}",
                                           crc, header.contents_crc));
    }
    saved.crcs_ = reinterpret_cast<const std::uint32_t*>(bytes.data() + saved.layout_.index_offset);
    return saved;
}

Result<std::span<const std::byte>> SavedKv::digests(int layer) const {
    const SavedKvLayer& entry = layout_.layers[index(layer)];
    const auto bytes = bytes_.subspan(entry.digest_offset, entry.digest_bytes);
    const std::uint32_t crc = crc32c(bytes);
    if (crc != entry.digest_crc) {
        return bad_input(path_, fmt::format("the digests of layer {} are damaged: their CRC-32C is "
                                            "{:08x}, saved as {:08x}",
                                            layer, crc, entry.digest_crc));
    }
    return bytes;
}

std::uint64_t SavedKv::piece_offset(int layer, std::int64_t page, int kv_head) const {
    const SavedKvLayer& entry = layout_.layers[index(layer)];
    const KvShape& shape = contents_.shape;
    const auto piece = (page - static_cast<std::int64_t>(entry.first_page)) * shape.kv_heads;
    return entry.pages_offset + static_cast<std::uint64_t>((piece + kv_head) * shape.page_bytes());
}

std::span<const std::byte> SavedKv::piece(int layer, std::int64_t page, int kv_head) const {
    return bytes_.subspan(piece_offset(layer, page, kv_head),
                          static_cast<std::size_t>(contents_.shape.page_bytes()));
}

Error SavedKv::damaged_piece(int layer, std::int64_t page, int kv_head) const {
    const std::int64_t first = page * contents_.shape.page_tokens;
    return bad_input(
        path_, fmt::format("page {} of layer {}, KV head {} (tokens {} to {}, at byte {}) is "
                           "damaged: its CRC-32C is not {:08x}",
                           page, layer, kv_head, first, first + contents_.shape.page_tokens - 1,
                           piece_offset(layer, page, kv_head), piece_crc(layer, page, kv_head)));
}

Result<std::shared_ptr<const SavedKvFile>> SavedKvFile::open(const std::string& path) {
    MEMSIDE_TRY(MappedFile file, MappedFile::open(path));
    const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(file.data()),
                                           file.size());
    MEMSIDE_TRY(SavedKv saved, SavedKv::parse(bytes, path));
    return std::shared_ptr<const SavedKvFile>(new SavedKvFile{std::move(file), std::move(saved)});
}

}  // namespace memside::engine
