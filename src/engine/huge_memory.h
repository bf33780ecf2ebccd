// Zeroed memory in huge pages where the system grants them: gathering KV pages from 4 KiB ones is
// half as fast, for want of address translations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/result.h"

namespace memside::engine {

inline constexpr std::int64_t huge_page_bytes = std::int64_t{1} << 21;

class HugeMemory {
  public:
    HugeMemory() = default;

    // Reserves `bytes` of address space, aligned to 2 MiB. Memory is taken as it is written; before
    // that it reads as zero. infeasible when `bytes` are more than the machine's memory.
    // `shared`: processes that are forked later see the same memory.
    static Result<HugeMemory> reserve(std::size_t bytes, bool shared = false);

    HugeMemory(HugeMemory&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    HugeMemory& operator=(HugeMemory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    HugeMemory(const HugeMemory&) = delete;
    HugeMemory& operator=(const HugeMemory&) = delete;
    ~HugeMemory();

    // Puts the file's bytes [offset, offset + bytes) at the beginning, and what follows them up to
    // the end of a page of the operating system. They are read as they are touched; writing changes
    // this memory alone. `offset` is a multiple of such a page. environment when that fails; the
    // memory is then as it was.
    Status map(int descriptor, std::uint64_t offset, std::size_t bytes);

    std::byte* data() const { return data_; }
    std::size_t size() const { return bytes_; }

  private:
    std::byte* data_ = nullptr;
    std::size_t bytes_ = 0;
};

// Bytes of memory that the machine has.
std::size_t physical_memory_bytes();

}  // namespace memside::engine
