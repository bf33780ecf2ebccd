#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <set>

namespace memside {
namespace {

namespace fs = std::filesystem;

Error environment_error(const std::string& path, std::string_view action) {
    return {path, fmt::format("cannot {}: {}", action, std::strerror(errno)),
            Error::Kind::environment};
}

// Writes all of `content`; false with errno set when the descriptor refuses.
bool write_all(int descriptor, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(descriptor, content.data(), content.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// Writes and closes; an Error names `shown`.
Status write_and_close(int descriptor, const std::string& shown, std::string_view content) {
    Status status;
    if (!write_all(descriptor, content)) status = environment_error(shown, "write");
    if (::close(descriptor) != 0 && status.ok()) status = environment_error(shown, "close");
    return status;
}

// Pipes, terminals and /dev/full cannot be replaced by a file of the same name. A path that names
// an open descriptor belongs to whoever opened it, even when a regular file is behind it.
bool is_written_in_place(const std::string& path) {
    for (const char* prefix : {"/dev/fd/", "/dev/std", "/proc/"}) {
        if (path.starts_with(prefix)) return true;
    }
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    return fs::exists(status) && !fs::is_regular_file(status);
}

Status write_in_place(const std::string& path, std::string_view content) {
    if (path == "-" || path == "/dev/stdout") {
        if (write_all(STDOUT_FILENO, content)) return {};
        return environment_error("standard output", "write");
    }
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return environment_error(path, "open for writing");
    return write_and_close(descriptor, path, content);
}

// Regular files on their way: each complete under a temporary name beside its target, and gone
// again unless rename_all() puts it into place.
class PendingFiles {
  public:
    PendingFiles() = default;
    PendingFiles(const PendingFiles&) = delete;
    PendingFiles& operator=(const PendingFiles&) = delete;
    ~PendingFiles() {
        for (const File& file : files_) ::unlink(file.temporary.c_str());
    }

    Status write(const std::string& path, std::string_view content) {
        std::error_code code;
        // The file that a symbolic link leads to is replaced, not the link.
        const fs::path real = fs::canonical(path, code);
        const fs::path target = code ? fs::path(path) : real;
        // A run that was killed may have left its temporary behind, and process ids come again.
        for (int attempt = 0; attempt < 100; ++attempt) {
            const std::string temporary =
                target.parent_path() / fmt::format(".memside-{}-{}.tmp", ::getpid(), attempt);
            const int descriptor =
                ::open(temporary.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0666);
            if (descriptor >= 0) {
                files_.push_back({path, target.string(), temporary, State::written});
                return write_and_close(descriptor, path, content);
            }
            if (errno != EEXIST) break;
        }
        return environment_error(path, "open for writing");
    }

    Status rename_all() {
        for (File& file : files_) {
            if (!put_into_place(file)) {
                const Error error = environment_error(file.shown, "rename into place");
                undo();
                return error;
            }
        }
        return {};
    }

  private:
    enum class State { written, created, exchanged };
    struct File {
        std::string shown;  // the path as the user gave it
        std::string target;
        std::string temporary;
        State state;
    };

    static bool exchange(const File& file) {
        return ::renameat2(AT_FDCWD, file.temporary.c_str(), AT_FDCWD, file.target.c_str(),
                           RENAME_EXCHANGE) == 0;
    }

    // An exchange leaves the old content under the temporary name, where undo() finds it.
    static bool put_into_place(File& file) {
        if (exchange(file)) {
            file.state = State::exchanged;
            return true;
        }
        if (errno != ENOENT) {
            // The filesystem cannot exchange: the old content is lost to undo().
            return errno == EINVAL && ::rename(file.temporary.c_str(), file.target.c_str()) == 0;
        }
        if (::rename(file.temporary.c_str(), file.target.c_str()) != 0) return false;
        file.state = State::created;
        return true;
    }

    void undo() {
        for (const File& file : files_) {
            if (file.state == State::exchanged) exchange(file);
            if (file.state == State::created) ::unlink(file.target.c_str());
        }
    }

    std::vector<File> files_;
};

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (status.type() == fs::file_type::not_found) {
        return bad_input(path, "no such file");
    }
    if (fs::is_directory(status)) return bad_input(path, "is a directory, not a file");
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return bad_input(path, fmt::format("cannot open: {}", std::strerror(errno)));
    }
    std::string content;
    std::string block(std::size_t{1} << 16, '\0');
    ssize_t got = 0;
    while ((got = ::read(descriptor, block.data(), block.size())) > 0) {
        content.append(block.data(), static_cast<std::size_t>(got));
        if (content.size() > max_bytes) {
            ::close(descriptor);
            return bad_input(path, fmt::format("is larger than {} bytes", max_bytes));
        }
    }
    const int saved = errno;
    ::close(descriptor);
    if (got < 0) return bad_input(path, fmt::format("cannot read: {}", std::strerror(saved)));
    return content;
}

void OutputSet::add(std::string path, std::string content) {
    outputs_.push_back({std::move(path), std::move(content)});
}

Status OutputSet::commit() const {
    std::set<fs::path> targets;
    for (const Output& output : outputs_) {
        if (output.path == "/dev/null") continue;
        std::error_code code;
        if (!targets.insert(fs::absolute(output.path, code).lexically_normal()).second) {
            return bad_input(output.path, "is the target of two outputs; allowed: one each");
        }
    }
    PendingFiles pending;
    std::vector<const Output*> in_place;
    for (const Output& output : outputs_) {
        if (output.path == "-" || is_written_in_place(output.path)) {
            in_place.push_back(&output);
        } else {
            MEMSIDE_CHECK(pending.write(output.path, output.content));
        }
    }
    // Only now: what went down a pipe cannot be taken back.
    for (const Output* output : in_place) {
        MEMSIDE_CHECK(write_in_place(output->path, output->content));
    }
    return pending.rename_all();
}

}  // namespace memside
