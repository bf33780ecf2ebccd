// Pages of a KV store on a disk: one file, where every page of a layer has its place, the pieces of
// its KV heads side by side. Reading and writing go past the system's cache where the file system
// allows it, so that memory is what the program asked for and bytes counted are bytes read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace memside::engine {

// Offsets, sizes and memory of direct reads and writes are multiples of this.
inline constexpr std::int64_t direct_alignment = 4096;

struct KvFileShape {
    std::int64_t piece_bytes = 0;  // of a page of one KV head, a multiple of direct_alignment
    int kv_heads = 0;
    // Of each layer: which pages have a place, [first, last); none where they are equal.
    std::vector<std::int64_t> first_page;
    std::vector<std::int64_t> last_page;
};

class KvFile {
  public:
    KvFile() = default;

    // A file in `folder` that nobody else can open and that is gone when the process is, however it
    // ends. Its space is taken at once: a disk that fills up later is none of its concern.
    // bad_input for a folder that is none or may not be written to; infeasible when the disk has
    // not that much space.
    static Result<KvFile> make(const std::string& folder, const KvFileShape& shape);

    KvFile(KvFile&& other) noexcept { swap(other); }
    KvFile& operator=(KvFile&& other) noexcept {
        swap(other);
        return *this;
    }
    KvFile(const KvFile&) = delete;
    KvFile& operator=(const KvFile&) = delete;
    ~KvFile();

    bool open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }
    // Whether the system's cache is passed by.
    bool direct() const { return direct_; }
    std::int64_t bytes() const { return bytes_; }

    // Where a page lies. It must have a place.
    std::int64_t offset(int layer, std::int64_t page, int kv_head = 0) const {
        const auto index = static_cast<std::size_t>(layer);
        return start_[index] +
               ((page - shape_.first_page[index]) * shape_.kv_heads + kv_head) * shape_.piece_bytes;
    }

    // Writes whole pieces from aligned memory; errors name the page.
    Status write(std::int64_t offset, const std::byte* from, std::int64_t bytes) const;

    // Tells the system that what was just read will not be read again soon; nothing when direct.
    void forget(std::int64_t offset, std::int64_t bytes) const;

    // An error that names file and page: "cannot read" a piece, and why.
    Error failed(const char* verb, std::int64_t offset, const std::string& why) const;

  private:
    void swap(KvFile& other) noexcept;
    Status create(const std::string& folder);
    Status take_space(const std::string& folder);
    Status choose_cache();

    std::string folder_;
    KvFileShape shape_;
    std::vector<std::int64_t> start_;  // of each layer
    std::int64_t bytes_ = 0;
    int descriptor_ = -1;
    bool direct_ = false;
};

}  // namespace memside::engine
