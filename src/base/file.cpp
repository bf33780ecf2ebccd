#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

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

Status write_descriptor(int descriptor, const std::string& path, std::string_view content) {
    if (!write_all(descriptor, content)) return environment_error(path, "write");
    return {};
}

Status write_file(const std::string& path, const std::string& shown, std::string_view content,
                  int flags) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags, 0666);
    if (descriptor < 0) return environment_error(shown, "open for writing");
    Status status = write_descriptor(descriptor, shown, content);
    if (::close(descriptor) != 0 && status.ok()) status = environment_error(shown, "close");
    return status;
}

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
    struct Pending {
        std::string temporary;
        std::string target;
    };
    std::vector<Pending> pending;
    const auto discard = [&pending] {
        for (const Pending& file : pending) ::unlink(file.temporary.c_str());
    };

    // Regular files first: they can be undone, a pipe cannot.
    std::vector<const Output*> in_place;
    for (const Output& output : outputs_) {
        std::error_code code;
        const fs::file_status status = fs::status(output.path, code);
        if (output.path == "-" || (fs::exists(status) && !fs::is_regular_file(status))) {
            in_place.push_back(&output);
            continue;
        }
        const std::string temporary = fmt::format("{}.{}.tmp", output.path, ::getpid());
        Status written = write_file(temporary, output.path, output.content, O_CREAT | O_EXCL);
        pending.push_back({temporary, output.path});
        if (!written.ok()) {
            discard();
            return written;
        }
    }
    for (const Output* output : in_place) {
        Status written = output->path == "-"
                             ? write_descriptor(STDOUT_FILENO, "standard output", output->content)
                             : write_file(output->path, output->path, output->content, 0);
        if (!written.ok()) {
            discard();
            return written;
        }
    }
    for (const Pending& file : pending) {
        if (std::rename(file.temporary.c_str(), file.target.c_str()) != 0) {
            const Error error = environment_error(file.target, "rename into place");
            discard();
            return error;
        }
    }
    return {};
}

}  // namespace memside
