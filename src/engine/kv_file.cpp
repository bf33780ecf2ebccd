#include "engine/kv_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/number.h"
#include "base/text.h"

namespace memside::engine {
namespace {

constexpr const char* option = "--kv-tier";

Error unusable(const std::string& folder, const std::string& why) {
    return bad_input(option, fmt::format("{} {}", in_quotes(folder), why));
}

Error no_space(const std::string& folder, std::int64_t needed, const std::string& there) {
    return {option,
            fmt::format("keys and values need {} in {}, {}",
                        format_bytes(static_cast<double>(needed)), in_quotes(folder), there),
            Error::Kind::infeasible};
}

}  // namespace

Result<KvFile> KvFile::make(const std::string& folder, const KvFileShape& shape) {
    assert(shape.piece_bytes % direct_alignment == 0);
    KvFile file;
    file.folder_ = folder;
    file.shape_ = shape;
    for (std::size_t layer = 0; layer < shape.first_page.size(); ++layer) {
        file.start_.push_back(file.bytes_);
        file.bytes_ +=
            (shape.last_page[layer] - shape.first_page[layer]) * shape.kv_heads * shape.piece_bytes;
    }
    MEMSIDE_CHECK(file.create(folder));
    MEMSIDE_CHECK(file.take_space(folder));
    MEMSIDE_CHECK(file.choose_cache());
    return file;
}

Status KvFile::create(const std::string& folder) {
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0) {
        return unusable(folder, errno == ENOENT
                                    ? std::string("does not exist")
                                    : fmt::format("cannot be used: {}", std::strerror(errno)));
    }
    if (!S_ISDIR(status.st_mode)) return unusable(folder, "is not a folder");
    // Without a name there is nothing to leave behind and nothing to collide with.
    descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        // File systems that know no such files, NFS among them: a name for a moment.
        std::string name = folder + "/.memside-kv-XXXXXX";
        descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
        if (descriptor_ >= 0) ::unlink(name.c_str());
    }
    if (descriptor_ < 0) {
        return unusable(folder, fmt::format("cannot hold a file: {}", std::strerror(errno)));
    }
    return {};
}

Status KvFile::take_space(const std::string& folder) {
    if (bytes_ == 0) return {};
    struct statvfs space{};
    if (::fstatvfs(descriptor_, &space) == 0) {
        const double free =
            static_cast<double>(space.f_bavail) * static_cast<double>(space.f_frsize);
        if (static_cast<double>(bytes_) > free) {
            return no_space(folder, bytes_, fmt::format("where {} are free", format_bytes(free)));
        }
    }
    if (::fallocate(descriptor_, 0, 0, bytes_) == 0) return {};
    // Where space cannot be taken in advance, a write may find the disk full.
    if (errno == EOPNOTSUPP && ::ftruncate(descriptor_, bytes_) == 0) return {};
    return no_space(folder, bytes_, fmt::format("which refuses: {}", std::strerror(errno)));
}

Status KvFile::choose_cache() {
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (bytes_ == 0 || ::fcntl(descriptor_, F_SETFL, flags | O_DIRECT) != 0) return {};
    alignas(direct_alignment) static const std::byte zeros[direct_alignment]{};
    // Some file systems accept the flag and refuse the writing.
    direct_ = ::pwrite(descriptor_, zeros, sizeof zeros, 0) == sizeof zeros;
    if (!direct_) ::fcntl(descriptor_, F_SETFL, flags);
    return {};
}

KvFile::~KvFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void KvFile::swap(KvFile& other) noexcept {
    std::swap(folder_, other.folder_);
    std::swap(shape_, other.shape_);
    std::swap(start_, other.start_);
    std::swap(bytes_, other.bytes_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(direct_, other.direct_);
}

Status KvFile::write(std::int64_t offset, const std::byte* from, std::int64_t bytes) const {
    for (std::int64_t done = 0; done < bytes;) {
        const ssize_t count = ::pwrite(descriptor_, from + done,
                                       static_cast<std::size_t>(bytes - done), offset + done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            return failed("write", offset + done, std::strerror(count < 0 ? errno : ENOSPC));
        }
        done += count;
    }
    if (direct_) return {};
    // Only what is on the disk can leave the cache.
    if (::fdatasync(descriptor_) != 0) return failed("write", offset, std::strerror(errno));
    forget(offset, bytes);
    return {};
}

void KvFile::forget(std::int64_t offset, std::int64_t bytes) const {
    if (!direct_) ::posix_fadvise(descriptor_, offset, bytes, POSIX_FADV_DONTNEED);
}

Error KvFile::failed(const char* verb, std::int64_t offset, const std::string& why) const {
    std::size_t layer = start_.size() - 1;
    while (start_[layer] > offset) --layer;
    // Of layers that have no place, the last one before it begins where it does.
    const std::int64_t piece = (offset - start_[layer]) / shape_.piece_bytes;
    return {fmt::format("file of keys and values in {}", in_quotes(folder_)),
            fmt::format("cannot {} layer {}, page {}, KV head {}: {}", verb, layer,
                        shape_.first_page[layer] + piece / shape_.kv_heads, piece % shape_.kv_heads,
                        why),
            Error::Kind::environment};
}

}  // namespace memside::engine
