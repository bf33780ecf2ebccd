// A whole file as memory, read-only, mapped on demand by the operating system. The file stays open.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"

namespace memside::engine {

class MappedFile {
  public:
    // A missing path, or one that is no regular file, is bad input. An empty file maps to nothing.
    // A file that is made shorter while it is mapped ends the process: the system says so with
    // SIGBUS, and nothing can be done about it.
    static Result<MappedFile> open(const std::string& path);

    MappedFile(MappedFile&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          descriptor_(std::exchange(other.descriptor_, -1)) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    const std::uint8_t* data() const { return data_; }
    std::uint64_t size() const { return size_; }
    // Of an empty file -1.
    int descriptor() const { return descriptor_; }

  private:
    MappedFile() = default;

    const std::uint8_t* data_ = nullptr;
    std::uint64_t size_ = 0;
    int descriptor_ = -1;
};

}  // namespace memside::engine
