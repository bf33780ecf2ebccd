#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <list>

#include "base/interruption.h"
#include "base/text.h"

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

bool is_standard_output(std::string_view path) {
    return path == "-" || path == "/dev/stdout";
}

Status write_in_place(const std::string& path, std::string_view content) {
    if (is_standard_output(path)) return write_standard_output(content);
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
        const Uninterrupted section;
        for (File& file : files_) {
            ::unlink(file.temporary.c_str());
            spare(file.doomed);
        }
    }

    Status write(const std::string& path, std::string_view content) {
        std::error_code code;
        // The file that a symbolic link leads to is replaced, not the link.
        const fs::path real = fs::canonical(path, code);
        const fs::path target = code ? fs::path(path) : real;
        // The temporary's name is short: a target that cannot be is found here, not by the rename.
        struct stat unused{};
        if (::lstat(target.c_str(), &unused) != 0 && errno != ENOENT) {
            return environment_error(path, "open for writing");
        }
        // A run that was killed may have left its temporary behind, and process ids come again.
        for (int attempt = 0; attempt < 100; ++attempt) {
            const std::string temporary =
                target.parent_path() / fmt::format(".memside-{}-{}.tmp", ::getpid(), attempt);
            const int descriptor = create({path, target.string(), temporary, State::written, {}});
            if (descriptor >= 0) return write_and_close(descriptor, path, content);
            if (errno != EEXIST) break;
        }
        return environment_error(path, "open for writing");
    }

    Status rename_all() {
        const Uninterrupted section;
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
        DoomedFile doomed;  // the temporary
    };

    // Opens the temporary of a new file; -1 with errno set when it cannot be created.
    int create(File file) {
        files_.push_back(std::move(file));
        File& made = files_.back();
        made.doomed.path = made.temporary.c_str();
        const Uninterrupted section;
        const int descriptor =
            ::open(made.temporary.c_str(), O_WRONLY | O_CLOEXEC | O_CREAT | O_EXCL, 0666);
        if (descriptor >= 0) {
            doom(made.doomed);
        } else {
            files_.pop_back();
        }
        return descriptor;
    }

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

    std::list<File> files_;  // what an interruption removes must stay where it is
};

// What a path leads to.
struct Place {
    std::string location;  // equal for equal paths, whatever links lead there
    std::optional<std::pair<dev_t, ino_t>> file;  // of a regular file that exists
    bool takes_all = false;                       // /dev/null
};

Place place_of(const std::string& path) {
    Place place;
    std::error_code code;
    const fs::path real = fs::canonical(path, code);  // fails when nothing is there yet
    struct stat status{};
    if (is_standard_output(path)) {
        place.location = "standard output";
        if (::fstat(STDOUT_FILENO, &status) != 0) return place;
    } else if (!code) {
        place.location = real.string();
        if (::stat(real.c_str(), &status) != 0) return place;
    } else {
        fs::path folder = fs::path(path).parent_path();
        if (folder.empty()) folder = ".";
        const fs::path absolute = fs::weakly_canonical(folder, code);
        place.location = ((code ? folder : absolute) / fs::path(path).filename()).string();
        return place;
    }
    if (S_ISREG(status.st_mode)) place.file = {status.st_dev, status.st_ino};
    place.takes_all = place.location == "/dev/null";
    return place;
}

bool same_file(const Place& a, const Place& b) {
    if (a.takes_all || b.takes_all) return false;
    return a.location == b.location || (a.file && a.file == b.file);
}

// Indices of the first two outputs that are one file.
std::optional<std::pair<std::size_t, std::size_t>> first_clash(const std::vector<Place>& outputs) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (same_file(outputs[i], outputs[j])) return std::pair{j, i};
        }
    }
    return std::nullopt;
}

std::vector<Place> places_of(const std::vector<NamedPath>& paths) {
    std::vector<Place> places;
    for (const NamedPath& path : paths) places.push_back(place_of(path.path));
    return places;
}

}  // namespace

Status write_standard_output(std::string_view text) {
    if (write_all(STDOUT_FILENO, text)) return {};
    return environment_error("standard output", "write");
}

Status check_targets(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs) {
    const std::vector<Place> targets = places_of(outputs);
    if (const auto clash = first_clash(targets)) {
        const NamedPath& second = outputs[clash->second];
        return bad_input(second.name,
                         fmt::format("{} is the target of {} too; allowed: one each",
                                     in_quotes(second.path), outputs[clash->first].name));
    }
    const std::vector<Place> sources = places_of(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        for (std::size_t j = 0; j < inputs.size(); ++j) {
            if (!same_file(targets[i], sources[j])) continue;
            return bad_input(
                outputs[i].name,
                fmt::format("{} would replace the input {} ({})", in_quotes(outputs[i].path),
                            in_quotes(inputs[j].path), inputs[j].name));
        }
    }
    return {};
}

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
    std::vector<NamedPath> paths;
    for (const Output& output : outputs_) paths.push_back({"", output.path});
    if (const auto clash = first_clash(places_of(paths))) {
        return bad_input(outputs_[clash->second].path,
                         "is the target of two outputs; allowed: one each");
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
