#include "base/streamed_file.h"

#include <filesystem>

#include "base/temp_folder.h"

namespace memside {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<StreamedFile> created(const std::string& path) {
    auto file = StreamedFile::create(path);
    EXPECT_TRUE(file.ok()) << file.error().message();
    return file.ok() ? std::move(*file) : nullptr;
}

std::size_t entries(const TempFolder& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder.path(""))) count += entry.exists();
    return count;
}

TEST(StreamedFile, is_there_whole_after_commit_and_not_before) {
    const TempFolder folder;
    const auto file = created(folder.path("x"));
    EXPECT_TRUE(file->append("one ").ok());
    EXPECT_TRUE(file->append("two").ok());
    EXPECT_FALSE(fs::exists(folder.path("x")));
    EXPECT_TRUE(file->commit().ok());
    EXPECT_EQ(folder.read("x"), "one two");
    EXPECT_EQ(entries(folder), 1U);
}

TEST(StreamedFile, leaves_the_old_content_when_it_is_given_up) {
    const TempFolder folder;
    folder.write("x", "old");
    EXPECT_TRUE(created(folder.path("x"))->append("new").ok());
    EXPECT_EQ(folder.read("x"), "old");
    EXPECT_EQ(entries(folder), 1U);
}

TEST(StreamedFile, replaces_the_file_behind_a_link) {
    const TempFolder folder;
    folder.write("real", "old");
    fs::create_symlink("real", folder.path("link"));
    const auto file = created(folder.path("link"));
    EXPECT_TRUE(file->append("new").ok());
    EXPECT_TRUE(file->commit().ok());
    EXPECT_TRUE(fs::is_symlink(folder.path("link")));
    EXPECT_EQ(folder.read("real"), "new");
}

TEST(StreamedFile, refusals_of_the_machine_name_the_path) {
    const auto missing = StreamedFile::create("/no-such-folder/x");
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, Error::Kind::environment);
    EXPECT_THAT(missing.error().message(), testing::HasSubstr("/no-such-folder/x: cannot open"));
    const Status full = created("/dev/full")->append("x");
    ASSERT_FALSE(full.ok());
    EXPECT_THAT(full.error().message(), testing::HasSubstr("/dev/full: cannot write"));
    EXPECT_EQ(full.error().kind, Error::Kind::environment);
}

}  // namespace
}  // namespace memside
