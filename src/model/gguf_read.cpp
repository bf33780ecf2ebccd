// Reading a GGUF header from disk: as much of the file as the header needs, and all parts of a
// split file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_set>

#include "base/text.h"
#include "model/gguf_header.h"
#include "model/gguf_parse.h"

namespace memside {
namespace {

constexpr std::uint64_t first_read_bytes = std::uint64_t{1} << 20;
// The longest real headers, those with a vocabulary of 262,144 and its merges, take about 16 MiB.
constexpr std::uint64_t max_header_bytes = std::uint64_t{1} << 27;
constexpr std::int64_t max_parts = 1000;

// An open file that closes itself.
class InputFile {
  public:
    static Result<InputFile> open(const std::string& path) {
        InputFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (file.descriptor_ < 0) {
            return bad_input(path, errno == ENOENT
                                       ? std::string("no such file")
                                       : fmt::format("cannot open: {}", std::strerror(errno)));
        }
        struct stat status{};
        if (::fstat(file.descriptor_, &status) != 0) {
            return bad_input(path, fmt::format("cannot read: {}", std::strerror(errno)));
        }
        if (S_ISDIR(status.st_mode)) return bad_input(path, "is a directory, not a file");
        if (!S_ISREG(status.st_mode)) return bad_input(path, "is not a regular file");
        file.size_ = static_cast<std::uint64_t>(status.st_size);
        return file;
    }
    InputFile(InputFile&& other) noexcept
        : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    InputFile& operator=(InputFile&&) = delete;
    ~InputFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }

    std::uint64_t size() const { return size_; }

    // Grows `bytes`, the beginning of the file, to `count` bytes.
    Status extend(std::string& bytes, std::uint64_t count, const std::string& path) const {
        std::size_t filled = bytes.size();
        bytes.resize(count);
        while (filled < count) {
            const ssize_t got = ::pread(descriptor_, bytes.data() + filled, count - filled,
                                        static_cast<off_t>(filled));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) {
                return bad_input(path, got < 0
                                           ? fmt::format("cannot read: {}", std::strerror(errno))
                                           : std::string("became shorter while it was read"));
            }
            filled += static_cast<std::size_t>(got);
        }
        return {};
    }

  private:
    explicit InputFile(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
    std::uint64_t size_ = 0;
};

Result<GgufHeader> read_part(const std::string& path) {
    MEMSIDE_TRY(const InputFile file, InputFile::open(path));
    const std::uint64_t longest = std::min(file.size(), max_header_bytes);
    std::string bytes;
    for (std::uint64_t length = first_read_bytes;; length *= 4) {
        const std::uint64_t count = std::min(length, longest);
        MEMSIDE_CHECK(file.extend(bytes, count, path));
        bool wants_more = false;
        Result<GgufHeader> header = parse_gguf_prefix(bytes, file.size(), path, wants_more);
        if (!wants_more) return header;
        if (count == longest) {
            return bad_input(path, fmt::format("the header is longer than {} bytes", count));
        }
    }
}

// The metadata integer of that name, or `absent`.
Result<std::int64_t> split_number(const GgufHeader& header, std::string_view key,
                                  std::int64_t absent, const std::string& file) {
    const auto found = header.metadata.find(key);
    if (found == header.metadata.end()) return absent;
    if (const auto* u = std::get_if<std::uint64_t>(&found->second.data)) {
        if (*u <= INT64_MAX) return static_cast<std::int64_t>(*u);
    } else if (const auto* i = std::get_if<std::int64_t>(&found->second.data)) {
        return *i;
    }
    return bad_input(file, fmt::format("{} is not an integer in range", key));
}

std::string split_suffix(std::int64_t number, std::int64_t count) {
    return fmt::format("-{:05}-of-{:05}.gguf", number + 1, count);
}

// Appends the tensors of part `number` of `count` to `joined`.
Status join_part(GgufHeader& joined, const std::string& path, std::int64_t number,
                 std::int64_t count, std::unordered_set<std::string>& names) {
    MEMSIDE_TRY(GgufHeader part, read_part(path));
    MEMSIDE_TRY(const std::int64_t own_number, split_number(part, "split.no", 0, path));
    MEMSIDE_TRY(const std::int64_t own_count, split_number(part, "split.count", 1, path));
    if (own_number != number || own_count != count) {
        return bad_input(path, fmt::format("says it is part {} of {}, not part {} of {}",
                                           own_number + 1, own_count, number + 1, count));
    }
    for (GgufTensor& tensor : part.tensors) {
        if (!names.insert(tensor.name).second) {
            return bad_input(
                path, fmt::format("tensor {} is in an earlier part too", in_quotes(tensor.name)));
        }
        tensor.part = static_cast<int>(number);
        joined.tensors.push_back(std::move(tensor));
    }
    joined.file_bytes += part.file_bytes;
    joined.parts.push_back({path, part.data_start});
    return {};
}

}  // namespace

Result<GgufHeader> read_gguf_header(const std::string& path) {
    MEMSIDE_TRY(GgufHeader header, read_part(path));
    header.parts.push_back({path, header.data_start});
    MEMSIDE_TRY(const std::int64_t count, split_number(header, "split.count", 1, path));
    if (count == 1 || count == 0) return header;
    if (count < 0 || count > max_parts) {
        return bad_input(path, fmt::format("split.count {} is out of range; allowed: 1 to {}",
                                           count, max_parts));
    }
    MEMSIDE_TRY(const std::int64_t number, split_number(header, "split.no", 0, path));
    if (number != 0) {
        return bad_input(
            path, fmt::format("is part {} of {}; give the first part, which ends in {}", number + 1,
                              count, split_suffix(0, count)));
    }
    const std::string first = split_suffix(0, count);
    if (!path.ends_with(first)) {
        return bad_input(path, fmt::format("is the first of {} parts, but its name does not end in "
                                           "{}, so the others cannot be found",
                                           count, first));
    }
    const std::string stem = path.substr(0, path.size() - first.size());
    std::unordered_set<std::string> names;
    for (const GgufTensor& tensor : header.tensors) names.insert(tensor.name);
    for (std::int64_t i = 1; i < count; ++i) {
        MEMSIDE_CHECK(join_part(header, stem + split_suffix(i, count), i, count, names));
    }
    const auto total = static_cast<std::int64_t>(header.tensors.size());
    MEMSIDE_TRY(const std::int64_t claimed,
                split_number(header, "split.tensors.count", total, path));
    if (claimed != total) {
        return bad_input(path, fmt::format("the {} parts hold {} tensors, but split.tensors.count "
                                           "says {}",
                                           count, total, claimed));
    }
    return header;
}

}  // namespace memside
