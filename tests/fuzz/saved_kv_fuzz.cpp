// Any bytes as a saved sequence: one that can be loaded, or one line of error. Inputs are what lies
// before the pages; what they lack of the size that they state is zeros. They are tried as they are
// and with the checksums that they would need, so that the search is not stopped by them.
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "check.h"
#include "engine/resume.h"
#include "engine/saved_kv_file.h"
#include "kv/layout.h"

using namespace memside;
using namespace memside::engine;
using fuzz::require;

namespace {

constexpr std::size_t most_bytes = std::size_t{1} << 20;

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

std::string temporary_path() {
    return std::filesystem::temp_directory_path() /
           fmt::format("memside-fuzz-{}.kv", static_cast<int>(::getpid()));
}

// Zeros up to the stated size, and checksums of the header and of all that follows it but pages.
void complete(std::string& content) {
    SavedKvHeader header;
    std::memcpy(&header, content.data(), sizeof header);
    if (header.file_bytes >= content.size() && header.file_bytes <= most_bytes) {
        content.resize(header.file_bytes);
    }
    header.header_crc = header_crc(header);
    std::memcpy(content.data(), &header, sizeof header);
    // The message says what the other checksum would be.
    const auto parsed = SavedKv::parse(bytes_of(content), "fuzz.kv");
    const std::string message = parsed.ok() ? "" : parsed.error().message();
    constexpr std::string_view before = "their CRC-32C is ";
    const std::size_t at = message.find(before);
    if (at == std::string::npos || message.find("index are damaged") > at) return;
    header.contents_crc =
        static_cast<std::uint32_t>(std::stoul(message.substr(at + before.size(), 8), nullptr, 16));
    header.header_crc = header_crc(header);
    std::memcpy(content.data(), &header, sizeof header);
}

// Loads what it holds, as a run does.
void load(const std::string& content, const KvShape& shape) {
    const std::string path = temporary_path();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
    auto file = SavedKvFile::open(path);
    require(file.ok(), "what is read from memory is read from a file");
    ThreadPool pool(1);
    auto store = KvStore::make(shape);
    require(store.ok(), "a small store fits");
    const std::int64_t tokens = shape.capacity_tokens;
    const Status loaded = store->load(*file, tokens, pool);
    if (!loaded.ok()) fuzz::require_one_line(loaded.error());
    for (int layer = 0; loaded.ok() && layer < static_cast<int>(shape.kept_tokens.size());
         ++layer) {
        const Status verified = store->verify(layer, tokens, pool);
        if (!verified.ok()) fuzz::require_one_line(verified.error());
    }
    std::filesystem::remove(path);
}

void parse(const std::string& content) {
    const auto parsed = SavedKv::parse(bytes_of(content), "fuzz.kv");
    if (!parsed.ok()) return fuzz::require_one_line(parsed.error());
    const SavedKv& saved = *parsed;
    KvShape shape = saved.contents().shape;
    std::int64_t pages = 0;
    for (int layer = 0; layer < static_cast<int>(saved.layers().size()); ++layer) {
        const SavedKvLayer& entry = saved.layers()[static_cast<std::size_t>(layer)];
        for (std::uint64_t page = 0; page < entry.pages; ++page) {
            const auto at = static_cast<std::int64_t>(entry.first_page + page);
            const auto piece = saved.piece(layer, at, shape.kv_heads - 1);
            require(piece.data() + piece.size() <= bytes_of(content).data() + content.size(),
                    "pages lie in the file");
            (void)saved.piece_crc(layer, at, shape.kv_heads - 1);
            ++pages;
        }
        if (!saved.has_digests(layer)) continue;
        const auto digests = saved.digests(layer);
        if (!digests.ok()) fuzz::require_one_line(digests.error());
    }
    require(static_cast<std::size_t>(pages) <= content.size(), "pages are part of the file");
    require(check_saved_kv(saved, shape, saved.contents().fingerprint, "m").ok(), "it is its own");
    std::vector<std::int32_t> prompt(saved.tokens().begin(), saved.tokens().end());
    for (const std::int64_t window : {1, 100}) {
        const auto point = resume_point(saved, prompt, window);
        if (!point.ok()) fuzz::require_one_line(point.error());
    }
    if (shape.capacity_tokens <= (1 << 16)) load(content, shape);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string content(reinterpret_cast<const char*>(data), size);
    parse(content);
    if (size >= sizeof(SavedKvHeader)) {
        complete(content);
        parse(content);
    }
    return 0;
}
