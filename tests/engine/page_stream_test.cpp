#include "engine/page_stream.h"

#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cstring>

#include "base/temp_folder.h"
#include "engine/faulty_reader.h"

namespace memside::engine {
namespace {

using test::Fault;

constexpr std::int64_t piece = direct_alignment;
constexpr std::int64_t pages = 64;

// A file of 64 pieces; the bytes of each are its number.
struct Scene {
    Scene() : memory(std::move(HugeMemory::reserve(1 << 20)).value()) {
        file = std::move(KvFile::make(folder.path(""), {piece, 1, {0}, {pages}})).value();
        for (std::int64_t page = 0; page < pages; ++page) {
            std::memset(memory.data(), static_cast<int>(page), piece);
            EXPECT_TRUE(file.write(page * piece, memory.data(), piece).ok());
        }
    }

    std::unique_ptr<PageStream> make(std::int64_t frames, const FileReaderVariant* variant) {
        return std::move(PageStream::make(file, variant, frames * piece)).value();
    }

    TempFolder folder;
    HugeMemory memory;
    KvFile file;
};

bool holds(const std::byte* at, std::int64_t page) {
    for (std::int64_t i = 0; i < piece; ++i) {
        if (at[i] != static_cast<std::byte>(page)) return false;
    }
    return true;
}

RC_GTEST_PROP(PageStream, waves_arrive_whole_whatever_was_read_ahead_and_however_reads_end, ()) {
    static Scene scene;
    const auto frames = *rc::gen::inRange<std::int64_t>(2, 24);
    const auto short_every = *rc::gen::inRange<std::int64_t>(1, 6);
    const FileReaderVariant faulty =
        test::faulty_variant([&](std::int64_t number, const FileRead& read) -> std::int64_t {
            if (number % short_every != 0 || read.bytes <= 512) return number % 7 == 3 ? -EINTR : 0;
            return read.bytes / 1024 * 512;
        });
    const auto which = *rc::gen::inRange<std::size_t>(0, 4);
    const auto stream = scene.make(frames, which == 3 ? &faulty : &file_reader_variants()[which]);
    for (int pass = 0; pass < 4; ++pass) {
        std::vector<std::int64_t> ahead;
        for (const int page : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 64))) {
            ahead.push_back(page * piece);
        }
        stream->read_ahead(ahead, piece);
        // Waves of at most half of the frames, a page at most once in all.
        std::vector<PageRead> reads;
        std::int64_t page = 0;
        std::int64_t waves = 0;
        while (page < pages - 24) {
            const auto count = *rc::gen::inRange<std::int64_t>(1, frames / 2 + 1);
            for (std::int64_t i = 0; i < count; ++i) {
                page += *rc::gen::inRange<std::int64_t>(1, 3);
                std::byte* to =
                    *rc::gen::inRange(0, 4) == 0
                        ? scene.memory.data() + static_cast<std::int64_t>(reads.size()) * piece
                        : nullptr;
                if (page < pages) reads.push_back({page * piece, waves, to});
            }
            ++waves;
        }
        stream->begin(reads, piece);
        for (std::int64_t wave = 0; wave < waves; ++wave) {
            const Status arrived = stream->arrive(wave);
            RC_ASSERT(arrived.ok());
            for (std::size_t i = 0; i < reads.size(); ++i) {
                if (reads[i].wave != wave) continue;
                const std::byte* at = stream->at(static_cast<std::int64_t>(i));
                RC_ASSERT(holds(at, reads[i].offset / piece));
                RC_ASSERT(reads[i].to == nullptr || reads[i].to == at);
            }
            stream->release(wave);
        }
        stream->end();
    }
    RC_ASSERT(stream->counts().bytes >= stream->counts().ahead_wanted * piece);
}

TEST(PageStream, what_was_read_ahead_is_not_read_again) {
    Scene scene;
    for (const FileReaderVariant& variant : file_reader_variants()) {
        if (variant.name == "pread") continue;  // reads one ahead, no more
        if (!variant.make(scene.file.descriptor()).ok()) continue;
        const auto stream = scene.make(16, &variant);
        const std::vector<std::int64_t> ahead{3 * piece, 5 * piece, 9 * piece};
        stream->read_ahead(ahead, piece);
        stream->begin({{3 * piece, 0}, {4 * piece, 0}, {9 * piece, 1}}, piece);
        ASSERT_TRUE(stream->arrive(1).ok());
        EXPECT_TRUE(holds(stream->at(0), 3));
        EXPECT_TRUE(holds(stream->at(1), 4));
        EXPECT_TRUE(holds(stream->at(2), 9));
        stream->end();
        EXPECT_EQ(stream->counts().ahead, 3);
        EXPECT_EQ(stream->counts().ahead_wanted, 2);
    }
}

TEST(PageStream, what_was_read_ahead_is_forgotten_when_the_file_changes) {
    Scene scene;
    const auto stream = scene.make(8, nullptr);
    const std::vector<std::int64_t> ahead{0};
    stream->read_ahead(ahead, piece);
    std::memset(scene.memory.data(), 99, piece);
    ASSERT_TRUE(scene.file.write(0, scene.memory.data(), piece).ok());
    stream->forget();
    stream->begin({{0, 0}}, piece);
    ASSERT_TRUE(stream->arrive(0).ok());
    EXPECT_TRUE(holds(stream->at(0), 99));
    stream->end();
}

// Reads all pages in waves of two; the error, or "".
std::string read_all(PageStream& stream) {
    std::vector<PageRead> reads;
    for (std::int64_t page = 0; page < pages; ++page) reads.push_back({page * piece, page / 2});
    stream.begin(reads, piece);
    for (std::int64_t wave = 0; wave < pages / 2; ++wave) {
        if (const Status arrived = stream.arrive(wave); !arrived.ok()) {
            return arrived.error().message();
        }
        for (std::int64_t page = wave * 2; page < wave * 2 + 2; ++page) {
            EXPECT_TRUE(holds(stream.at(page), page));
        }
        stream.release(wave);
    }
    stream.end();
    return "";
}

TEST(PageStream, a_read_that_fails_names_folder_and_page_and_the_next_pass_goes_on) {
    Scene scene;
    bool broken = true;
    const FileReaderVariant faulty =
        test::faulty_variant([&](std::int64_t, const FileRead& read) -> std::int64_t {
            return broken && read.offset == 17 * piece ? -EIO : 0;
        });
    const auto stream = scene.make(8, &faulty);
    EXPECT_EQ(read_all(*stream),
              fmt::format("file of keys and values in '{}': cannot read layer 0, page 17, KV head "
                          "0: Input/output error",
                          scene.folder.path("")));
    broken = false;
    EXPECT_EQ(read_all(*stream), "");
}

TEST(PageStream, a_page_that_cannot_be_read_ahead_fails_the_pass_that_wants_it_only) {
    Scene scene;
    const FileReaderVariant faulty = test::faulty_variant(
        [&](std::int64_t, const FileRead& read) { return read.offset == 5 * piece ? -EIO : 0; });
    const auto stream = scene.make(8, &faulty);
    const std::vector<std::int64_t> ahead{4 * piece, 5 * piece};
    stream->read_ahead(ahead, piece);
    stream->begin({{4 * piece, 0}, {6 * piece, 0}}, piece);
    EXPECT_TRUE(stream->arrive(0).ok());
    stream->end();
    stream->read_ahead(ahead, piece);
    stream->begin({{4 * piece, 0}, {5 * piece, 0}}, piece);
    const Status arrived = stream->arrive(0);
    ASSERT_FALSE(arrived.ok());
    EXPECT_THAT(arrived.error().message(), testing::HasSubstr("page 5"));
}

TEST(PageStream, a_file_that_ends_early_is_an_error_that_says_so) {
    Scene scene;
    ASSERT_EQ(::ftruncate(scene.file.descriptor(), 20 * piece), 0);
    for (const FileReaderVariant& variant : file_reader_variants()) {
        if (!variant.make(scene.file.descriptor()).ok()) continue;
        const auto stream = scene.make(4, &variant);
        const std::string message = read_all(*stream);
        EXPECT_THAT(message, testing::HasSubstr("page 20, KV head 0: the file ends 0 bytes into"))
            << variant.name;
    }
}

}  // namespace
}  // namespace memside::engine
