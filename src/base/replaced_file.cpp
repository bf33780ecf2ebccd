#include "base/replaced_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace memside {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ending = ".memside-part";

struct Target {
    fs::path path;    // where links lead
    fs::path folder;  // not empty
};

Target resolve(const std::string& path) {
    std::error_code code;
    // The file that a symbolic link leads to is replaced, not the link.
    const fs::path real = fs::canonical(path, code);
    Target target{code ? fs::path(path) : real, {}};
    target.folder = target.path.parent_path();
    if (target.folder.empty()) target.folder = ".";
    return target;
}

Error refused(const std::string& path, std::string_view action) {
    return {path, fmt::format("cannot {}: {}", action, std::strerror(errno)),
            Error::Kind::environment};
}

// Temporaries of this target begin so.
std::string beginning(const fs::path& target) {
    return fmt::format(".{}.", target.filename().string());
}

// A temporary that nobody has locked belongs to a process that is no more.
void remove_leftovers(const Target& target) {
    std::error_code code;
    const std::string first = beginning(target.path);
    for (const auto& entry : fs::directory_iterator(target.folder, code)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(first) || !name.ends_with(ending)) continue;
        const int descriptor = ::open(entry.path().c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (descriptor < 0) continue;
        if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
        ::close(descriptor);
    }
}

}  // namespace

Error ReplacedFile::error(std::string_view action) const {
    return refused(path_, action);
}

Status ReplacedFile::check_target(const std::string& path) {
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (path.empty() || path == "-" || fs::is_directory(status) ||
        (fs::exists(status) && !fs::is_regular_file(status)) || fs::path(path).filename().empty()) {
        return bad_input(path.empty() ? "\"\"" : path,
                         "is not a regular file; allowed: a file to create or to replace");
    }
    const Target target = resolve(path);
    if (::access(target.folder.c_str(), W_OK | X_OK) != 0)
        return refused(path, "create files there");
    return {};
}

Result<std::unique_ptr<ReplacedFile>> ReplacedFile::create(const std::string& path,
                                                           std::uint64_t bytes) {
    MEMSIDE_CHECK(check_target(path));
    std::unique_ptr<ReplacedFile> file(new ReplacedFile(path));
    const Target target = resolve(path);
    file->target_ = target.path;
    file->folder_ = target.folder;
    remove_leftovers(target);
    if (!file->open_temporary()) return file->error("open for writing");
    if (bytes == 0) return file;
    if (::fallocate(file->descriptor_, 0, 0, static_cast<off_t>(bytes)) == 0) return file;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return file->error("take space for it");
    if (::ftruncate(file->descriptor_, static_cast<off_t>(bytes)) != 0) {
        return file->error("take space for it");
    }
    return file;
}

// Leaves errno when it fails.
bool ReplacedFile::open_temporary() {
    for (int attempt = 0; attempt < 100; ++attempt) {
        temporary_ = fs::path(folder_) /
                     fmt::format("{}{}-{}{}", beginning(target_), ::getpid(), attempt, ending);
        doomed_.path = temporary_.c_str();
        const Uninterrupted section;
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0666);
        if (descriptor_ < 0) {
            if (errno == EEXIST) continue;
            break;
        }
        struct stat status{};
        // Another save may have found it before it was locked.
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 && ::fstat(descriptor_, &status) == 0 &&
            status.st_nlink > 0) {
            doom(doomed_);
            return true;
        }
        ::close(std::exchange(descriptor_, -1));
    }
    temporary_.clear();
    return false;
}

ReplacedFile::~ReplacedFile() {
    if (!temporary_.empty()) {
        const Uninterrupted section;
        ::unlink(temporary_.c_str());
        spare(doomed_);
    }
    if (descriptor_ >= 0) ::close(descriptor_);
}

Status ReplacedFile::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t written =
            ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0) {
            if (errno == EINTR) continue;
            return error("write");
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        offset += static_cast<std::uint64_t>(written);
    }
    return {};
}

Status ReplacedFile::commit() {
    if (::fsync(descriptor_) != 0) return error("write");
    {
        const Uninterrupted section;
        if (::rename(temporary_.c_str(), target_.c_str()) != 0) return error("rename into place");
        spare(doomed_);
        temporary_.clear();
    }
    // The lock ends here: whoever looks for leftovers no longer sees a temporary.
    if (::close(std::exchange(descriptor_, -1)) != 0) return error("close");
    const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return error("open the folder of");
    const bool synced = ::fsync(folder) == 0 || errno == EINVAL;
    ::close(folder);
    if (!synced) return error("write the folder of");
    return {};
}

}  // namespace memside
