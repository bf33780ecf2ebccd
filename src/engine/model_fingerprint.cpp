#include "engine/model_fingerprint.h"

#include "base/crc32c.h"
#include "base/parallel.h"

namespace memside::engine {
namespace {

// Bytes whose checksum is one word of what is hashed.
constexpr std::uint64_t chunk_bytes = std::uint64_t{1} << 20;

// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
class Fnv {
  public:
    void add(std::uint64_t value) {
        for (int byte = 0; byte < 8; ++byte) {
            hash_ = (hash_ ^ (value >> 8 * byte & 0xFFU)) * 0x100000001B3ULL;
        }
    }
    std::uint64_t value() const { return hash_; }

  private:
    std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace

std::uint64_t model_fingerprint(const ModelFile& model, unsigned threads) {
    Fnv hash;
    for (const MappedFile& part : model.parts) {
        const auto* data = reinterpret_cast<const std::byte*>(part.data());
        std::vector<std::uint32_t> crcs((part.size() + chunk_bytes - 1) / chunk_bytes);
        parallel_for(crcs.size(), threads, [&](std::size_t i) {
            const std::uint64_t first = i * chunk_bytes;
            crcs[i] = crc32c({data + first, std::min(chunk_bytes, part.size() - first)});
        });
        hash.add(part.size());
        for (const std::uint32_t crc : crcs) hash.add(crc);
    }
    return hash.value();
}

}  // namespace memside::engine
