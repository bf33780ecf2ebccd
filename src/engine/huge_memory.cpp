#include "engine/huge_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/number.h"

namespace memside::engine {
namespace {

constexpr auto huge_page = static_cast<std::size_t>(huge_page_bytes);

}  // namespace

std::size_t physical_memory_bytes() {
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (pages <= 0 || page_bytes <= 0) return SIZE_MAX;
    return static_cast<std::size_t>(pages) * static_cast<std::size_t>(page_bytes);
}

Result<HugeMemory> HugeMemory::reserve(std::size_t bytes, bool shared) {
    HugeMemory memory;
    if (bytes == 0) return memory;
    const std::size_t most = physical_memory_bytes();
    if (bytes > most) {
        return Error{"",
                     fmt::format("{} do not fit the {} of memory of this machine",
                                 format_bytes(static_cast<double>(bytes)),
                                 format_bytes(static_cast<double>(most))),
                     Error::Kind::infeasible};
    }
    const std::size_t rounded = (bytes + huge_page - 1) / huge_page * huge_page;
    // More than wanted, so that an aligned part is inside; the rest goes back.
    const std::size_t reserved = rounded + huge_page;
    void* mapped =
        ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE,
               (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
        return Error{"",
                     fmt::format("cannot reserve {} of memory: {}",
                                 format_bytes(static_cast<double>(bytes)), std::strerror(errno)),
                     Error::Kind::environment};
    }
    auto* start = static_cast<std::byte*>(mapped);
    const auto address = reinterpret_cast<std::uintptr_t>(mapped);
    const std::size_t before = (huge_page - address % huge_page) % huge_page;
    if (before > 0) ::munmap(start, before);
    ::munmap(start + before + rounded, reserved - before - rounded);
    memory.data_ = start + before;
    memory.bytes_ = rounded;
    // Advice only: without huge pages all works, slower.
    ::madvise(memory.data_, memory.bytes_, MADV_HUGEPAGE);
    return memory;
}

Status HugeMemory::map(int descriptor, std::uint64_t offset, std::size_t bytes) {
    assert(bytes <= bytes_);
    if (bytes == 0) return {};
    void* mapped =
        ::mmap(data_, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
               descriptor, static_cast<off_t>(offset));
    if (mapped != MAP_FAILED) return {};
    return Error{"",
                 fmt::format("cannot map {}: {}", format_bytes(static_cast<double>(bytes)),
                             std::strerror(errno)),
                 Error::Kind::environment};
}

HugeMemory::~HugeMemory() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
}

}  // namespace memside::engine
