// A saved sequence that is open for loading. Header, token ids, table of layers and index have been
// verified; digests are when they are asked for, pages by saved_pages.h.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/mapped_file.h"
#include "engine/saved_kv_format.h"

namespace memside::engine {

// What the bytes of a file say.
class SavedKv {
  public:
    // Verifies everything but digests and pages; `bytes` must stay. A file that is damaged, cut
    // short, of another version or no saved sequence is bad input in one line that begins with
    // `path`. Memory is taken for the table of layers only, which is part of the bytes.
    static Result<SavedKv> parse(std::span<const std::byte> bytes, const std::string& path);

    const std::string& path() const { return path_; }
    const SavedKvContents& contents() const { return contents_; }
    std::span<const std::int32_t> tokens() const {
        return {reinterpret_cast<const std::int32_t*>(bytes_.data() + layout_.tokens_offset),
                static_cast<std::size_t>(contents_.tokens())};
    }
    std::span<const SavedKvLayer> layers() const { return layout_.layers; }
    std::uint64_t file_bytes() const { return layout_.file_bytes; }

    bool has_digests(int layer) const { return contents_.digests.layers[index(layer)]; }
    // The digests of a layer that has some; bad_input when they are damaged.
    Result<std::span<const std::byte>> digests(int layer) const;

    // The checksum that the piece of a KV head of a page must have. The page is one of the layer's.
    std::uint32_t piece_crc(int layer, std::int64_t page, int kv_head) const {
        const auto place =
            static_cast<std::uint64_t>(page) - layout_.layers[index(layer)].first_page;
        return crcs_[layout_.first_index[index(layer)] +
                     place * static_cast<std::uint64_t>(contents_.shape.kv_heads) +
                     static_cast<std::uint64_t>(kv_head)];
    }
    // Where that piece lies in the file, and its bytes.
    std::uint64_t piece_offset(int layer, std::int64_t page, int kv_head) const;
    std::span<const std::byte> piece(int layer, std::int64_t page, int kv_head) const;
    // bad_input that names the piece.
    Error damaged_piece(int layer, std::int64_t page, int kv_head) const;

  private:
    static std::size_t index(int layer) { return static_cast<std::size_t>(layer); }

    std::span<const std::byte> bytes_;
    std::string path_;
    SavedKvContents contents_;
    SavedKvLayout layout_;
    const std::uint32_t* crcs_ = nullptr;  // [layers][pages][kv_heads]
};

// The same with the file that it is in.
struct SavedKvFile {
    MappedFile file;
    SavedKv saved;

    // bad_input as MappedFile::open() and SavedKv::parse() have it.
    static Result<std::shared_ptr<const SavedKvFile>> open(const std::string& path);
};

}  // namespace memside::engine
