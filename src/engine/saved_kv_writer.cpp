#include "engine/saved_kv_writer.h"

#include <cassert>
#include <cstring>
#include <mutex>

#include "base/crc32c.h"
#include "base/replaced_file.h"
#include "engine/saved_kv_format.h"
#include "kv/layout.h"

namespace memside::engine {
namespace {

// Bytes of neighbouring pages that a thread writes in one piece.
constexpr std::int64_t chunk_bytes = std::int64_t{4} << 20;

std::size_t size(std::uint64_t count) {
    return static_cast<std::size_t>(count);
}

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

class Writer {
  public:
    Writer(const SavedSequence& sequence, const ReplacedFile& file, ThreadPool& pool,
           SavedKvContents contents, SavedKvLayout layout)
        : sequence_(sequence),
          file_(file),
          pool_(pool),
          contents_(std::move(contents)),
          layout_(std::move(layout)),
          crcs_(size(layout_.index_end - layout_.index_offset) / 4) {}

    Status write(const std::function<void(std::int64_t)>& saved) {
        std::int64_t written = 0;
        for (std::size_t layer = 0; layer < layout_.layers.size(); ++layer) {
            MEMSIDE_CHECK(write_pages(static_cast<int>(layer)));
            MEMSIDE_CHECK(write_digests(static_cast<int>(layer)));
            written += static_cast<std::int64_t>(layout_.layers[layer].pages) * page_bytes();
            if (saved) saved(written);
        }
        const std::uint32_t crc = write_contents_into(contents_bytes_);
        MEMSIDE_CHECK(file_.write(sizeof(SavedKvHeader), contents_bytes_));
        return file_.write(0, bytes_of(header(crc)));
    }

  private:
    const KvShape& shape() const { return contents_.shape; }
    std::int64_t page_bytes() const { return shape().page_bytes() * shape().kv_heads; }

    // Pages lie side by side in the store as in the file, but for where a window's ring begins.
    Status write_pages(int layer) {
        const SavedKvLayer& entry = layout_.layers[static_cast<std::size_t>(layer)];
        const auto pages = static_cast<std::int64_t>(entry.pages);
        const std::int64_t at_once = std::max<std::int64_t>(chunk_bytes / page_bytes(), 1);
        Status result;
        std::mutex failing;
        pool_.run((pages + at_once - 1) / at_once, [&](std::int64_t chunk) {
            const std::int64_t last = std::min((chunk + 1) * at_once, pages);
            const Status status = write_chunk(layer, chunk * at_once, last);
            const std::lock_guard lock(failing);
            if (result.ok()) result = status;
        });
        return result;
    }

    Status write_chunk(int layer, std::int64_t first, std::int64_t last) {
        const SavedKvLayer& entry = layout_.layers[static_cast<std::size_t>(layer)];
        const KvStore& store = *sequence_.store;
        const auto piece_bytes = static_cast<std::size_t>(shape().page_bytes());
        for (std::int64_t i = first; i < last; ++i) {
            const std::int64_t page = static_cast<std::int64_t>(entry.first_page) + i;
            for (int head = 0; head < shape().kv_heads; ++head) {
                if (!store.usable(layer, page, head)) return store.take_failure();
                const std::uint64_t index = layout_.first_index[static_cast<std::size_t>(layer)] +
                                            static_cast<std::uint64_t>(i * shape().kv_heads + head);
                crcs_[size(index)] = crc32c({store.piece(layer, page, head), piece_bytes});
            }
        }
        for (std::int64_t i = first; i < last;) {
            const std::int64_t page = static_cast<std::int64_t>(entry.first_page) + i;
            const std::byte* from = store.piece(layer, page, 0);
            std::int64_t count = 1;
            while (i + count < last &&
                   store.piece(layer, page + count, 0) == from + count * page_bytes()) {
                ++count;
            }
            MEMSIDE_CHECK(
                file_.write(entry.pages_offset + static_cast<std::uint64_t>(i * page_bytes()),
                            {from, static_cast<std::size_t>(count * page_bytes())}));
            i += count;
        }
        return {};
    }

    Status write_digests(int layer) {
        SavedKvLayer& entry = layout_.layers[static_cast<std::size_t>(layer)];
        if (entry.digest_offset == 0) return {};
        const auto bytes = sequence_.digests->stored(layer, contents_.tokens());
        assert(bytes.size() == entry.digest_bytes);
        entry.digest_crc = crc32c(bytes);
        return file_.write(entry.digest_offset, bytes);
    }

    // What lies between the header and the digests; its checksum.
    std::uint32_t write_contents_into(std::vector<std::byte>& bytes) const {
        bytes.resize(size(layout_.index_end - sizeof(SavedKvHeader)));
        const auto put = [&](std::uint64_t offset, std::span<const std::byte> from) {
            if (!from.empty()) {
                std::memcpy(bytes.data() + offset - sizeof(SavedKvHeader), from.data(),
                            from.size());
            }
        };
        put(layout_.tokens_offset, std::as_bytes(sequence_.tokens));
        put(layout_.layers_offset, std::as_bytes(std::span(layout_.layers)));
        put(layout_.index_offset, std::as_bytes(std::span(crcs_)));
        return crc32c(bytes);
    }

    SavedKvHeader header(std::uint32_t contents_crc) const {
        SavedKvHeader header;
        header.file_bytes = layout_.file_bytes;
        header.fingerprint = contents_.fingerprint;
        header.tokens = static_cast<std::uint64_t>(contents_.tokens());
        header.layers = static_cast<std::uint32_t>(layout_.layers.size());
        header.kv_heads = static_cast<std::uint32_t>(shape().kv_heads);
        header.head_dim = static_cast<std::uint32_t>(shape().head_dim);
        header.page_tokens = static_cast<std::uint32_t>(shape().page_tokens);
        header.value_type = saved_type_code(shape().type);
        header.digest_kind = static_cast<std::uint32_t>(contents_.digests.kind);
        header.digest_type = static_cast<std::uint32_t>(contents_.digests.type);
        header.digest_coefficient = contents_.digests.coefficient;
        header.piece_bytes = static_cast<std::uint64_t>(shape().page_bytes());
        header.contents_crc = contents_crc;
        header.header_crc = header_crc(header);
        return header;
    }

    const SavedSequence& sequence_;
    const ReplacedFile& file_;
    ThreadPool& pool_;
    SavedKvContents contents_;
    SavedKvLayout layout_;
    std::vector<std::uint32_t> crcs_;  // the index, padded
    std::vector<std::byte> contents_bytes_;
};

}  // namespace

Result<std::int64_t> write_saved_kv(const SavedSequence& sequence, const std::string& path,
                                    ThreadPool& pool,
                                    const std::function<void(std::int64_t)>& saved) {
    SavedKvContents contents;
    contents.fingerprint = sequence.fingerprint;
    contents.shape = sequence.store->shape();
    contents.shape.capacity_tokens = static_cast<std::int64_t>(sequence.tokens.size());
    assert(contents.tokens() >= 1);
    if (sequence.digests != nullptr) contents.digests = sequence.digests->config();
    contents.digests.layers.assign(contents.shape.kept_tokens.size(), false);
    for (std::size_t layer = 0; layer < contents.digests.layers.size(); ++layer) {
        contents.digests.layers[layer] =
            sequence.digests != nullptr && sequence.digests->has_layer(static_cast<int>(layer));
    }
    const auto layout = saved_kv_layout(contents);
    assert(layout);
    MEMSIDE_TRY(const auto file, ReplacedFile::create(path, layout->file_bytes));
    Writer writer(sequence, *file, pool, std::move(contents), *layout);
    MEMSIDE_CHECK(writer.write(saved));
    MEMSIDE_CHECK(file->commit());
    return static_cast<std::int64_t>(layout->file_bytes);
}

}  // namespace memside::engine
