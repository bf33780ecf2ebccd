#include "calibrate/workbench.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "engine/stream_rate.h"

namespace memside::calibrate {
namespace {

// Every two bytes of it are a weight or a scale that no type takes for a denormal, an infinity or
// NaN: f16 0.065, bf16 and f32 2.4e-12. The speed of the kernels does not depend on it otherwise.
constexpr char weight_byte = 0x2C;

// A file that is gone when this is.
struct Temporary {
    std::string path;
    ~Temporary() { ::unlink(path.c_str()); }
};

}  // namespace

Result<std::unique_ptr<Workbench>> Workbench::make(unsigned threads, const std::string& folder) {
    auto bench = std::unique_ptr<Workbench>(new Workbench(threads));
    // Systems name caches of the whole processor of which a machine has a part: 1 GiB is enough.
    constexpr std::int64_t least = std::int64_t{256} << 20;
    bench->bytes_ =
        std::clamp(4 * engine::last_level_cache_bytes() / least * least, least, 4 * least);
    MEMSIDE_TRY(bench->memory_,
                engine::HugeMemory::reserve(static_cast<std::size_t>(bench->bytes_)));
    std::memset(bench->memory_.data(), 1, static_cast<std::size_t>(bench->bytes_));

    std::string path = (std::filesystem::path(folder) / "memside-calibrate-XXXXXX").string();
    const int descriptor = ::mkstemp(path.data());
    const auto refuse = [&] {
        return Error{folder, fmt::format("no file can be written there: {}", std::strerror(errno)),
                     Error::Kind::environment};
    };
    if (descriptor < 0) return refuse();
    const Temporary file{path};
    const std::string chunk(std::size_t{1} << 22, weight_byte);
    for (std::int64_t at = 0; at < bench->bytes_; at += std::ssize(chunk)) {
        if (::write(descriptor, chunk.data(), chunk.size()) != std::ssize(chunk)) {
            const Error error = refuse();
            ::close(descriptor);
            return error;
        }
    }
    ::close(descriptor);
    MEMSIDE_TRY(auto mapped, engine::MappedFile::open(path));
    bench->weights_.emplace(std::move(mapped));
    return bench;
}

void Workbench::evict() {
    sink_ += read_words(memory_.data(), bytes_, nullptr);
}

}  // namespace memside::calibrate
