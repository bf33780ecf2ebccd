#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/temp_folder.h"

namespace memside {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

OutputSet outputs(std::vector<std::pair<std::string, std::string>> files) {
    OutputSet set;
    for (auto& [path, content] : files) set.add(path, content);
    return set;
}

// The message of a commit that the machine refused.
std::string refusal(const OutputSet& set) {
    const Status status = set.commit();
    EXPECT_FALSE(status.ok());
    if (status.ok()) return "";
    EXPECT_EQ(status.error().exit_status(), 1);
    return status.error().message();
}

TEST(ReadFile, gives_every_byte) {
    const TempFolder folder;
    const std::string content("a\0b\r\n\xff", 6);
    EXPECT_EQ(*read_file(folder.write("x", content), 100), content);
    EXPECT_EQ(*read_file(folder.write("empty", ""), 0), "");
}

TEST(ReadFile, a_path_that_is_missing_or_a_directory_is_bad_input) {
    const TempFolder folder;
    const auto missing = read_file(folder.path("gone"), 100);
    EXPECT_EQ(missing.error().message(), folder.path("gone") + ": no such file");
    EXPECT_EQ(missing.error().exit_status(), 2);
    const auto directory = read_file(folder.path(""), 100);
    EXPECT_EQ(directory.error().message(), folder.path("") + ": is a directory, not a file");
    EXPECT_EQ(directory.error().exit_status(), 2);
    EXPECT_FALSE(read_file("", 100).ok());
    const std::string below_file = folder.write("file", "x") + "/below";
    EXPECT_THAT(read_file(below_file, 100).error().message(), StartsWith(below_file + ": "));
}

TEST(ReadFile, the_size_limit_is_exact) {
    const TempFolder folder;
    const std::string path = folder.write("x", std::string(100'000, 'x'));
    EXPECT_EQ(read_file(path, 100'000)->size(), 100'000U);
    const auto result = read_file(path, 99'999);
    EXPECT_EQ(result.error().message(), path + ": is larger than 99999 bytes");
    EXPECT_EQ(result.error().exit_status(), 2);
}

TEST(ReadFile, an_endless_device_stops_at_the_limit) {
    EXPECT_THAT(read_file("/dev/zero", 1000).error().message(), HasSubstr("is larger than"));
}

TEST(OutputSet, writes_new_files_and_replaces_old_ones) {
    const TempFolder folder;
    folder.write("old", "before");
    ASSERT_TRUE(outputs({{folder.path("new"), "1"}, {folder.path("old"), "2"}}).commit().ok());
    EXPECT_EQ(folder.read("new"), "1");
    EXPECT_EQ(folder.read("old"), "2");
    EXPECT_THAT(folder.names(), ElementsAre("new", "old"));
}

TEST(OutputSet, new_files_get_the_permissions_of_the_umask) {
    const TempFolder folder;
    const mode_t before = ::umask(027);
    ASSERT_TRUE(outputs({{folder.path("x"), "1"}}).commit().ok());
    ::umask(before);
    struct stat status{};
    ASSERT_EQ(::stat(folder.path("x").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(OutputSet, a_failed_write_changes_nothing_and_leaves_nothing) {
    const TempFolder folder;
    folder.write("old", "before");
    const std::vector<std::string> impossible{
        "/dev/full",               // no space
        folder.path("gone/x"),     // no such folder
        folder.path("old") + "/x"  // not a folder
    };
    for (const std::string& path : impossible) {
        // The bad one first and last: what was written before it must go again.
        EXPECT_THAT(
            refusal(outputs({{folder.path("new"), "1"}, {folder.path("old"), "2"}, {path, "3"}})),
            StartsWith(path + ": cannot "));
        EXPECT_THAT(
            refusal(outputs({{path, "3"}, {folder.path("new"), "1"}, {folder.path("old"), "2"}})),
            StartsWith(path + ": cannot "));
        EXPECT_EQ(folder.read("old"), "before");
        EXPECT_THAT(folder.names(), ElementsAre("old"));
    }
}

TEST(OutputSet, a_directory_as_target_is_refused_and_kept) {
    const TempFolder folder;
    folder.write("folder/inside", "x");
    EXPECT_THAT(refusal(outputs({{folder.path("new"), "1"}, {folder.path("folder"), "2"}})),
                HasSubstr("Is a directory"));
    EXPECT_THAT(folder.names(), ElementsAre("folder"));
    EXPECT_EQ(folder.read("folder/inside"), "x");
}

// What goes down the pipe is written between the files and their renames: its reader takes away the
// folder of one of them.
TEST(OutputSet, a_failed_rename_puts_back_what_was_there) {
    const TempFolder folder;
    folder.write("old", "before");
    std::filesystem::create_directory(folder.path("folder"));
    const std::string pipe = folder.path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const std::string more_than_a_pipe_holds(std::size_t{1} << 20, 'x');
    std::thread reader([&] {
        const int descriptor = ::open(pipe.c_str(), O_RDONLY);
        char byte = 0;
        EXPECT_EQ(::read(descriptor, &byte, 1), 1);
        std::filesystem::remove_all(folder.path("folder"));
        std::string rest(4096, '\0');
        while (::read(descriptor, rest.data(), rest.size()) > 0) {
        }
        ::close(descriptor);
    });
    EXPECT_THAT(refusal(outputs({{folder.path("new"), "1"},
                                 {folder.path("old"), "2"},
                                 {folder.path("folder/x"), "3"},
                                 {pipe, more_than_a_pipe_holds}})),
                HasSubstr("folder/x: cannot rename into place"));
    reader.join();
    EXPECT_EQ(folder.read("old"), "before");
    EXPECT_THAT(folder.names(), ElementsAre("old", "pipe"));
}

TEST(OutputSet, a_name_that_is_too_long_fails_before_anything_is_printed) {
    const TempFolder folder;
    testing::internal::CaptureStdout();
    const std::string too_long = folder.path(std::string(300, 'x'));
    const std::string message = refusal(outputs({{"-", "summary"}, {too_long, "1"}}));
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_THAT(message, HasSubstr("cannot open for writing: File name too long"));
    EXPECT_THAT(folder.names(), testing::IsEmpty());
}

// Root may write everywhere, so the child becomes nobody first.
TEST(OutputSet, a_folder_without_write_permission_is_an_error) {
    const TempFolder folder;
    ASSERT_EQ(::chmod(folder.path("").c_str(), 0555), 0);
    const auto child = [&folder] {
        if (::geteuid() == 0 && ::seteuid(65534) != 0) std::_Exit(3);
        const Status status = outputs({{folder.path("x"), "1"}}).commit();
        if (!status.ok()) std::fputs(status.error().message().c_str(), stderr);
        std::_Exit(status.ok() ? 4 : status.error().exit_status());
    };
    EXPECT_EXIT(child(), testing::ExitedWithCode(1),
                "x: cannot open for writing: Permission denied");
    EXPECT_THAT(folder.names(), testing::IsEmpty());
    ASSERT_EQ(::chmod(folder.path("").c_str(), 0755), 0);
}

TEST(OutputSet, two_outputs_to_one_path_are_bad_input) {
    const TempFolder folder;
    const Status status =
        outputs({{folder.path("x"), "1"}, {folder.path("./y/../x"), "2"}}).commit();
    ASSERT_FALSE(status.ok());
    EXPECT_THAT(status.error().message(), HasSubstr("is the target of two outputs"));
    EXPECT_EQ(status.error().exit_status(), 2);
    EXPECT_THAT(folder.names(), testing::IsEmpty());
    EXPECT_TRUE(outputs({{"/dev/null", "1"}, {"/dev/null", "2"}}).commit().ok());
}

TEST(OutputSet, two_paths_to_one_file_are_bad_input_through_links_and_linked_folders) {
    const TempFolder folder;
    folder.write("sub/real", "before");
    std::filesystem::create_symlink("sub/real", folder.path("link"));
    std::filesystem::create_directory_symlink("sub", folder.path("linked"));
    std::filesystem::create_hard_link(folder.path("sub/real"), folder.path("hard"));
    for (const auto& [first, second] :
         std::vector<std::pair<std::string, std::string>>{{"sub/real", "link"},
                                                          {"link", "linked/real"},
                                                          {"sub/real", "hard"},
                                                          {"sub/new", "linked/new"}}) {
        const Status status =
            outputs({{folder.path(first), "1"}, {folder.path(second), "2"}}).commit();
        ASSERT_FALSE(status.ok()) << first;
        EXPECT_EQ(status.error().message(),
                  folder.path(second) + ": is the target of two outputs; allowed: one each");
        EXPECT_EQ(status.error().exit_status(), 2);
        EXPECT_EQ(folder.read("sub/real"), "before");
    }
    EXPECT_TRUE(outputs({{folder.path("sub/a"), "1"}, {folder.path("linked/b"), "2"}}).commit());
}

TEST(OutputSet, a_file_that_standard_output_goes_to_is_no_other_target) {
    const TempFolder folder;
    const std::string path = folder.path("x");
    const auto child = [&path] {
        if (std::freopen(path.c_str(), "w", stdout) == nullptr) std::_Exit(3);
        const Status status = outputs({{path, "json"}, {"-", "summary"}}).commit();
        if (!status.ok()) std::fputs(status.error().message().c_str(), stderr);
        std::_Exit(status.ok() ? 0 : status.error().exit_status());
    };
    EXPECT_EXIT(child(), testing::ExitedWithCode(2), "-: is the target of two outputs");
}

TEST(Targets, an_output_is_no_input_and_the_message_names_both) {
    const TempFolder folder;
    folder.write("sub/in", "before");
    std::filesystem::create_directory_symlink("sub", folder.path("linked"));
    const auto check = [&](const std::string& output) {
        const Status status = check_targets(
            {{"--csv", "-"}, {"--json", output}},
            {{"--model", folder.path("sub/in")}, {"--scores", folder.path("missing")}});
        if (status.ok()) return std::string("ok");
        EXPECT_EQ(status.error().exit_status(), 2);
        return status.error().message();
    };
    for (const char* same : {"sub/in", "linked/in", "sub/../linked/./in"}) {
        EXPECT_THAT(check(folder.path(same)), StartsWith("--json: '"));
        EXPECT_THAT(check(folder.path(same)), HasSubstr("' would replace the input '"));
        EXPECT_THAT(check(folder.path(same)), testing::EndsWith("' (--model)"));
    }
    EXPECT_THAT(check("-"), StartsWith("--json: '-' is the target of --csv too"));
    EXPECT_EQ(check(folder.path("sub/in2")), "ok");
    EXPECT_EQ(check("/dev/null"), "ok");
}

TEST(OutputSet, a_symbolic_link_stays_and_its_file_is_replaced) {
    const TempFolder folder;
    folder.write("real", "before");
    std::filesystem::create_symlink("real", folder.path("link"));
    ASSERT_TRUE(outputs({{folder.path("link"), "after"}}).commit().ok());
    EXPECT_EQ(folder.read("real"), "after");
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link")));
}

TEST(OutputSet, a_temporary_that_a_killed_run_left_is_no_obstacle) {
    const TempFolder folder;
    folder.write(fmt::format(".memside-{}-0.tmp", ::getpid()), "stale");
    EXPECT_TRUE(outputs({{folder.path("x"), "1"}, {folder.path("y"), "2"}}).commit().ok());
    EXPECT_EQ(folder.read("x") + folder.read("y"), "12");
}

TEST(OutputSet, a_pipe_is_written_in_place_and_stays_a_pipe) {
    const TempFolder folder;
    const std::string pipe = folder.path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    std::string received;
    std::thread reader([&] { received = *read_file(pipe, 100); });
    EXPECT_TRUE(outputs({{pipe, "through the pipe"}}).commit().ok());
    reader.join();
    EXPECT_EQ(received, "through the pipe");
    EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(OutputSet, a_dash_is_standard_output_alone) {
    testing::internal::CaptureStdout();
    const Status status = outputs({{"-", "one\n"}}).commit();
    const std::string printed = testing::internal::GetCapturedStdout();
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(printed, "one\n");
    EXPECT_FALSE(std::filesystem::exists("-"));
}

// /dev/stdout may lead to a regular file; a rename would take it away from the shell that opened
// it.
TEST(OutputSet, dev_stdout_means_standard_output) {
    testing::internal::CaptureStdout();
    std::fputs("before ", stdout);
    std::fflush(stdout);
    const Status status = outputs({{"/dev/stdout", "after"}}).commit();
    const std::string printed = testing::internal::GetCapturedStdout();
    EXPECT_TRUE(status.ok());
    EXPECT_EQ(printed, "before after");
}

}  // namespace
}  // namespace memside
