#include "base/streamed_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace memside {

namespace fs = std::filesystem;

Error StreamedFile::error(std::string_view action) const {
    return {path_ == "-" ? "standard output" : path_,
            fmt::format("cannot {}: {}", action, std::strerror(errno)), Error::Kind::environment};
}

Result<std::unique_ptr<StreamedFile>> StreamedFile::create(const std::string& path) {
    std::unique_ptr<StreamedFile> file(new StreamedFile(path));
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (path == "-" || (fs::exists(status) && !fs::is_regular_file(status))) {
        file->descriptor_ = path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                                        : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (file->descriptor_ < 0) return file->error("open for writing");
        return file;
    }
    // The file that a symbolic link leads to is replaced, not the link.
    const fs::path real = fs::canonical(path, code);
    if (!file->open_temporary(code ? path : real.string())) return file->error("open for writing");
    return file;
}

// Leaves errno when it fails.
bool StreamedFile::open_temporary(const std::string& target) {
    // A run that was killed may have left its temporary behind, and process ids come again.
    for (int attempt = 0; attempt < 100; ++attempt) {
        temporary_ =
            fs::path(target).parent_path() / fmt::format(".memside-{}-{}.tmp", ::getpid(), attempt);
        doomed_.path = temporary_.c_str();
        const Uninterrupted section;
        descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0666);
        if (descriptor_ >= 0) {
            doom(doomed_);
            target_ = target;
            return true;
        }
        if (errno != EEXIST) break;
    }
    temporary_.clear();
    return false;
}

StreamedFile::~StreamedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (temporary_.empty()) return;
    const Uninterrupted section;
    ::unlink(temporary_.c_str());
    spare(doomed_);
}

Status StreamedFile::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return error("write");
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

Status StreamedFile::commit() {
    if (::close(std::exchange(descriptor_, -1)) != 0) return error("close");
    if (temporary_.empty()) return {};
    const Uninterrupted section;
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) return error("rename into place");
    spare(doomed_);
    temporary_.clear();
    return {};
}

}  // namespace memside
