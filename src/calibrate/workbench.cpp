#include "calibrate/workbench.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "engine/stream_rate.h"
#include "kv/counter_random.h"

namespace memside::calibrate {
namespace {

// Random bytes of 0x2C to 0x2F: no type takes two of them for a denormal, an infinity or NaN (f16
// 0.065 to 0.12, bf16 and f32 about 1e-11), and no two pages are alike, which a hypervisor might
// keep once.
void fill_with_weights(std::uint64_t key, std::string& chunk) {
    for (std::size_t at = 0; at < chunk.size(); at += sizeof(std::uint64_t)) {
        const std::uint64_t word =
            (kv::random_bits(key, at) & 0x0303030303030303ULL) | 0x2C2C2C2C2C2C2C2CULL;
        std::memcpy(chunk.data() + at, &word, sizeof word);
    }
}

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
    // In pieces as make-model writes them: the system chooses by that how large the pages are that
    // it keeps a file in, and they decide how fast a mapped file is read.
    std::string chunk(std::size_t{1} << 18, '\0');
    for (std::int64_t at = 0; at < bench->bytes_; at += std::ssize(chunk)) {
        fill_with_weights(static_cast<std::uint64_t>(at), chunk);
        if (::write(descriptor, chunk.data(), chunk.size()) != std::ssize(chunk)) {
            const Error error = refuse();
            ::close(descriptor);
            return error;
        }
    }
    ::close(descriptor);
    MEMSIDE_TRY(auto mapped, engine::MappedFile::open(path));
    bench->weights_.emplace(std::move(mapped));
    // So that the system has mapped every page before one is timed.
    bench->sink_ +=
        read_words(reinterpret_cast<const std::byte*>(bench->weights()), bench->bytes_, nullptr);
    return bench;
}

const std::uint8_t* Workbench::next_weights(std::int64_t bytes) {
    constexpr std::int64_t page = 4096;
    if (next_weights_ + bytes > bytes_) next_weights_ = 0;
    const std::uint8_t* from = weights() + next_weights_;
    next_weights_ += (bytes + page - 1) / page * page;
    return from;
}

void Workbench::evict() {
    sink_ += read_words(memory_.data(), bytes_, nullptr);
}

}  // namespace memside::calibrate
