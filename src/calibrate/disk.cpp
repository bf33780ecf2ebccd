#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "base/clock.h"
#include "calibrate/workbench.h"
#include "engine/huge_memory.h"

namespace memside::calibrate {
namespace {

constexpr std::int64_t file_bytes = std::int64_t{128} << 20;
constexpr std::int64_t read_bytes = std::int64_t{1} << 20;

struct Descriptor {
    int number = -1;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

}  // namespace

Result<Sample> measure_disk(const std::string& folder) {
    std::string path = (std::filesystem::path(folder) / "memside-calibrate-XXXXXX").string();
    const auto refuse = [&](std::string_view what) {
        return Error{folder, fmt::format("{}: {}", what, std::strerror(errno)),
                     Error::Kind::environment};
    };
    Descriptor file{::mkstemp(path.data())};
    if (file.number < 0) return refuse("no file can be written there");
    // Read past the cache where the file system can, else after asking it to forget the file.
    Descriptor direct{::open(path.c_str(), O_RDONLY | O_DIRECT)};
    ::unlink(path.c_str());
    MEMSIDE_TRY(auto memory, engine::HugeMemory::reserve(static_cast<std::size_t>(read_bytes)));
    std::memset(memory.data(), 0x5A, static_cast<std::size_t>(read_bytes));
    for (std::int64_t at = 0; at < file_bytes; at += read_bytes) {
        if (::write(file.number, memory.data(), static_cast<std::size_t>(read_bytes)) !=
            read_bytes) {
            return refuse("a file cannot be written there");
        }
    }
    if (::fsync(file.number) != 0) return refuse("a file cannot be written there");
    std::vector<double> rates;
    constexpr int turns = 5;
    for (int turn = 0; turn < turns; ++turn) {
        const int from = direct.number >= 0 ? direct.number : file.number;
        if (direct.number < 0) ::posix_fadvise(from, 0, file_bytes, POSIX_FADV_DONTNEED);
        const double begin = seconds_now();
        for (std::int64_t at = 0; at < file_bytes; at += read_bytes) {
            if (::pread(from, memory.data(), static_cast<std::size_t>(read_bytes), at) !=
                read_bytes) {
                return refuse("its files cannot be read");
            }
        }
        rates.push_back(static_cast<double>(file_bytes) / (seconds_now() - begin));
    }
    return sample_of(std::move(rates));
}

}  // namespace memside::calibrate
