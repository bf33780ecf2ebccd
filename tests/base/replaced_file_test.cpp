#include "base/replaced_file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "base/temp_folder.h"

namespace memside {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}

// Writes `text` in two parts, the second first.
Status replace(const std::string& path, const std::string& text) {
    MEMSIDE_TRY(const auto file, ReplacedFile::create(path, text.size()));
    const std::size_t half = text.size() / 2;
    MEMSIDE_CHECK(file->write(half, bytes_of(text).subspan(half)));
    MEMSIDE_CHECK(file->write(0, bytes_of(text).first(half)));
    return file->commit();
}

TEST(ReplacedFile, what_is_committed_takes_the_place_of_the_old_file) {
    const TempFolder folder;
    folder.write("x", "a much longer text than the new one");
    ASSERT_TRUE(replace(folder.path("x"), "new text").ok());
    EXPECT_EQ(folder.read("x"), "new text");
    EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(ReplacedFile, what_is_given_up_leaves_the_old_file_alone) {
    const TempFolder folder;
    folder.write("x", "old");
    {
        const auto file = ReplacedFile::create(folder.path("x"), 3);
        ASSERT_TRUE(file.ok());
        ASSERT_TRUE((*file)->write(0, bytes_of("new")).ok());
        EXPECT_EQ(folder.names().size(), 2U);
    }
    EXPECT_EQ(folder.read("x"), "old");
    EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(ReplacedFile, the_file_that_a_link_leads_to_is_replaced) {
    const TempFolder folder;
    folder.write("x", "old");
    ASSERT_EQ(::symlink(folder.path("x").c_str(), folder.path("link").c_str()), 0);
    ASSERT_TRUE(replace(folder.path("link"), "new text").ok());
    EXPECT_EQ(folder.read("x"), "new text");
    EXPECT_THAT(folder.names(), ElementsAre("link", "x"));
}

TEST(ReplacedFile, leftovers_of_the_same_name_go_and_others_stay) {
    const TempFolder folder;
    for (const char* name :
         {".x.1-0.memside-part", ".x.77-3.memside-part", ".y.1-0.memside-part", ".x.1-0.else"}) {
        folder.write(name, "left");
    }
    // One that is being written, by whoever has it locked.
    const auto other = ReplacedFile::create(folder.path("x"), 5);
    ASSERT_TRUE(other.ok());
    ASSERT_TRUE(replace(folder.path("x"), "mine").ok());
    EXPECT_EQ(folder.names().size(), 4U);
    ASSERT_TRUE((*other)->write(0, bytes_of("yours")).ok());
    ASSERT_TRUE((*other)->commit().ok());
    EXPECT_EQ(folder.read("x"), "yours");
    EXPECT_THAT(folder.names(), ElementsAre(".x.1-0.else", ".y.1-0.memside-part", "x"));
}

TEST(ReplacedFile, targets_that_cannot_be_are_refused) {
    const TempFolder folder;
    ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
    for (const std::string& path :
         {std::string(), std::string("-"), folder.path("."), folder.path("pipe"), folder.path("x/"),
          std::string("/dev/full")}) {
        const Status status = ReplacedFile::check_target(path);
        ASSERT_FALSE(status.ok()) << path;
        EXPECT_EQ(status.error().kind, Error::Kind::bad_input);
        EXPECT_THAT(status.error().message(), HasSubstr("is not a regular file; allowed"));
        EXPECT_FALSE(ReplacedFile::create(path, 1).ok());
    }
    const Status missing = ReplacedFile::check_target(folder.path("no/x"));
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, Error::Kind::environment);
    EXPECT_EQ(folder.names().size(), 1U);
}

TEST(ReplacedFile, more_than_the_disk_has_is_refused_before_anything_is_written) {
    const TempFolder folder;
    folder.write("x", "old");
    const auto file = ReplacedFile::create(folder.path("x"), std::uint64_t{1} << 60);
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().kind, Error::Kind::environment);
    EXPECT_EQ(folder.read("x"), "old");
    EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(ReplacedFile, a_kill_at_any_moment_leaves_the_old_file_or_the_new_one) {
    const TempFolder folder;
    const std::size_t length = std::size_t{1} << 20;
    ASSERT_TRUE(replace(folder.path("x"), std::string(length, 'a')).ok());
    std::mt19937 random(3);
    for (int kill = 0; kill < 10; ++kill) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            for (char c = 'b';; c = c == 'z' ? 'a' : static_cast<char>(c + 1)) {
                if (!replace(folder.path("x"), std::string(length, c)).ok()) std::_Exit(1);
            }
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 20000));
        ::kill(pid, SIGKILL);
        int status = 0;
        ASSERT_EQ(::waitpid(pid, &status, 0), pid);
        ASSERT_TRUE(WIFSIGNALED(status));
        const std::string found = folder.read("x");
        ASSERT_EQ(found, std::string(length, found.at(0)));
    }
    ASSERT_TRUE(replace(folder.path("x"), "last").ok());
    EXPECT_THAT(folder.names(), ElementsAre("x"));
}

}  // namespace
}  // namespace memside
