#include "engine/saved_kv_format.h"

#include "base/crc32c.h"
#include "kv/layout.h"

namespace memside::engine {
namespace {

constexpr kv::ValueType types[] = {kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8};

std::uint64_t rounded(std::uint64_t offset, std::uint64_t to) {
    return (offset + to - 1) / to * to;
}

std::uint64_t unsigned_of(std::int64_t value) {
    return static_cast<std::uint64_t>(value);
}

// Counts of pages; offsets are set later.
SavedKvLayer pages_of_layer(const KvShape& shape, std::size_t layer) {
    const std::int64_t all = kv::page_count(shape.capacity_tokens, shape.page_tokens);
    const std::int64_t kept = shape.kept_tokens[layer];
    SavedKvLayer entry;
    entry.kept_tokens = unsigned_of(kept);
    // As many as the store keeps: the kept tokens may begin and end inside a page.
    const std::int64_t pages =
        kept == 0 ? all : std::min(all, kv::page_count(kept, shape.page_tokens) + 1);
    entry.first_page = unsigned_of(all - pages);
    entry.pages = unsigned_of(pages);
    return entry;
}

}  // namespace

std::optional<SavedKvLayout> saved_kv_layout(const SavedKvContents& contents,
                                             std::uint64_t most_bytes) {
    const KvShape& shape = contents.shape;
    const std::size_t count = shape.kept_tokens.size();
    const auto heads = static_cast<std::uint64_t>(shape.kv_heads);
    SavedKvLayout layout;
    layout.tokens_offset = sizeof(SavedKvHeader);
    layout.layers_offset = rounded(layout.tokens_offset + 4 * unsigned_of(contents.tokens()), 64);
    layout.index_offset = layout.layers_offset + count * sizeof(SavedKvLayer);
    if (layout.index_offset > most_bytes) return std::nullopt;
    std::uint64_t entries = 0;
    for (std::size_t layer = 0; layer < count; ++layer) {
        layout.layers.push_back(pages_of_layer(shape, layer));
        layout.first_index.push_back(entries);
        entries += layout.layers.back().pages * heads;
        if (entries > most_bytes / 4) return std::nullopt;
    }
    layout.index_end = rounded(layout.index_offset + 4 * entries, 64);
    std::uint64_t end = layout.index_end;
    const std::uint64_t digest_bytes =
        unsigned_of(digest_prefix_bytes(shape, contents.digests.type, contents.tokens()));
    for (std::size_t layer = 0; layer < count; ++layer) {
        if (end > most_bytes) return std::nullopt;
        if (!contents.digests.layers[layer]) continue;
        layout.layers[layer].digest_offset = end;
        layout.layers[layer].digest_bytes = digest_bytes;
        end = rounded(end + digest_bytes, 64);
    }
    const std::uint64_t page_bytes = unsigned_of(shape.page_bytes()) * heads;
    for (SavedKvLayer& layer : layout.layers) {
        if (end > most_bytes) return std::nullopt;
        layer.pages_offset = rounded(end, saved_kv_alignment);
        end = layer.pages_offset + layer.pages * page_bytes;
    }
    layout.file_bytes = rounded(end, saved_kv_alignment);
    if (layout.file_bytes > most_bytes) return std::nullopt;
    return layout;
}

std::uint32_t header_crc(SavedKvHeader header) {
    header.header_crc = 0;
    return crc32c(std::as_bytes(std::span(&header, 1)));
}

std::uint32_t saved_type_code(kv::ValueType type) {
    return static_cast<std::uint32_t>(std::ranges::find(types, type) - std::begin(types));
}

std::optional<kv::ValueType> saved_type(std::uint32_t code) {
    if (code >= std::size(types)) return std::nullopt;
    return types[code];
}

}  // namespace memside::engine
