#include "engine/kv_file.h"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/temp_folder.h"
#include "engine/huge_memory.h"

namespace memside::engine {
namespace {

KvFileShape small_shape() {
    return {2 * direct_alignment, 3, {2, 0, 5}, {6, 0, 9}};
}

TEST(KvFile, every_piece_of_a_page_has_a_place_of_its_own_that_is_aligned) {
    const TempFolder folder;
    const KvFileShape shape = small_shape();
    const auto file = KvFile::make(folder.path(""), shape);
    ASSERT_TRUE(file.ok()) << file.error().message();
    std::int64_t expected = 0;
    for (const int layer : {0, 2}) {
        const auto index = static_cast<std::size_t>(layer);
        for (std::int64_t page = shape.first_page[index]; page < shape.last_page[index]; ++page) {
            for (int head = 0; head < shape.kv_heads; ++head) {
                EXPECT_EQ(file->offset(layer, page, head), expected);
                EXPECT_EQ(expected % direct_alignment, 0);
                expected += shape.piece_bytes;
            }
        }
    }
    EXPECT_EQ(file->bytes(), expected);
}

TEST(KvFile, nothing_is_seen_in_the_folder_and_files_of_one_folder_do_not_collide) {
    const TempFolder folder;
    const auto a = KvFile::make(folder.path(""), small_shape());
    const auto b = KvFile::make(folder.path(""), small_shape());
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
    const HugeMemory memory = std::move(HugeMemory::reserve(1 << 16)).value();
    for (const auto* file : {&*a, &*b}) {
        std::memset(memory.data(), file == &*a ? 1 : 2, 8192);
        ASSERT_TRUE(file->write(file->offset(0, 3, 1), memory.data(), 8192).ok());
    }
    for (const auto* file : {&*a, &*b}) {
        ASSERT_EQ(::pread(file->descriptor(), memory.data(), 8192, file->offset(0, 3, 1)), 8192);
        EXPECT_EQ(memory.data()[8191], std::byte{file == &*a ? std::uint8_t{1} : std::uint8_t{2}});
    }
}

TEST(KvFile, a_folder_that_is_none_is_refused_by_name) {
    const TempFolder folder;
    for (const auto& [path, why] : {std::pair{folder.path("missing"), "does not exist"},
                                    std::pair{folder.write("file", ""), "is not a folder"},
                                    std::pair{std::string("/proc"), "cannot hold a file"}}) {
        const auto file = KvFile::make(path, small_shape());
        ASSERT_FALSE(file.ok()) << path;
        EXPECT_EQ(file.error().exit_status(), 2);
        EXPECT_THAT(file.error().message(), testing::StartsWith("--kv-tier: '"));
        EXPECT_THAT(file.error().message(), testing::HasSubstr(why));
    }
}

TEST(KvFile, more_than_the_disk_has_is_refused_with_numbers) {
    const TempFolder folder;
    KvFileShape shape = small_shape();
    shape.last_page[2] = std::int64_t{1} << 40;
    const auto file = KvFile::make(folder.path(""), shape);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().exit_status(), 1);
    EXPECT_THAT(file.error().message(), testing::HasSubstr("PiB in '"));
    EXPECT_THAT(file.error().message(), testing::HasSubstr("are free"));
}

TEST(KvFile, a_write_that_fails_names_folder_and_page) {
    const TempFolder folder;
    const auto file = KvFile::make(folder.path(""), small_shape());
    ASSERT_TRUE(file.ok());
    const HugeMemory memory = std::move(HugeMemory::reserve(1 << 16)).value();
    // No file of this process may be longer than that for now.
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{static_cast<rlim_t>(file->offset(2, 7, 1)), before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const Status good = file->write(file->offset(2, 7, 0), memory.data(), 8192);
    const Status bad = file->write(file->offset(2, 7, 1), memory.data(), 8192);
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    EXPECT_TRUE(good.ok());
    ASSERT_FALSE(bad.ok());
    EXPECT_EQ(bad.error().message(),
              fmt::format("file of keys and values in '{}': cannot write layer 2, page 7, KV head "
                          "1: File too large",
                          folder.path("")));
}

TEST(KvFile, of_layers_without_pages_an_error_names_the_one_that_has_the_place) {
    const TempFolder folder;
    const auto file = KvFile::make(folder.path(""), small_shape());
    ASSERT_TRUE(file.ok());
    EXPECT_THAT(file->failed("read", file->offset(0, 5, 2), "why").message(),
                testing::HasSubstr("layer 0, page 5, KV head 2"));
    EXPECT_THAT(file->failed("read", file->offset(2, 5, 0), "why").message(),
                testing::HasSubstr("layer 2, page 5, KV head 0"));
}

}  // namespace
}  // namespace memside::engine
