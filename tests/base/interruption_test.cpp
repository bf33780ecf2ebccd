#include "base/interruption.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include "base/file.h"
#include "base/temp_folder.h"

namespace memside {
namespace {

using testing::ElementsAre;

// A child that runs `body` and ends with its status.
pid_t child(const std::function<int()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) std::_Exit(body());
    return pid;
}

int wait_for(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
}

// A temporary has appeared; false when none does in a minute.
bool wait_for_temporary(const TempFolder& folder) {
    for (int i = 0; i < 6000; ++i) {
        for (const std::string& name : folder.names()) {
            if (name.starts_with(".memside-")) return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

// Writes a file and then a pipe that nobody reads: blocks with the temporary in the folder.
int commit_into_a_pipe(const TempFolder& folder) {
    OutputSet set;
    set.add(folder.path("x"), "1");
    set.add(folder.path("pipe"), "2");
    return set.commit().ok() ? 0 : 1;
}

class Interruption : public testing::TestWithParam<int> {};

TEST_P(Interruption, leaves_no_temporary_and_ends_the_process_by_the_signal) {
    const TempFolder folder;
    ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
    const pid_t pid = child([&] {
        std::signal(GetParam(), SIG_DFL);
        handle_interruption();
        return commit_into_a_pipe(folder);
    });
    EXPECT_TRUE(wait_for_temporary(folder));
    ::kill(pid, GetParam());
    const int status = wait_for(pid);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), GetParam());
    EXPECT_THAT(folder.names(), ElementsAre("pipe"));
}

INSTANTIATE_TEST_SUITE_P(Signals, Interruption, testing::Values(SIGINT, SIGTERM, SIGHUP));

TEST(Interruption, waits_for_what_must_be_whole) {
    const TempFolder folder;
    folder.write("doomed", "");
    folder.write("spared", "");
    const pid_t pid = child([&] {
        handle_interruption();
        const std::string doomed_path = folder.path("doomed");
        const std::string spared_path = folder.path("spared");
        DoomedFile doomed{doomed_path.c_str(), nullptr};
        DoomedFile spared{spared_path.c_str(), nullptr};
        {
            const Uninterrupted section;
            ::raise(SIGTERM);
            folder.write("whole", "");  // still alive
            doom(spared);
            doom(doomed);
            spare(spared);
        }
        folder.write("too late", "");
        return 0;
    });
    EXPECT_TRUE(WIFSIGNALED(wait_for(pid)));
    EXPECT_THAT(folder.names(), ElementsAre("spared", "whole"));
}

TEST(Interruption, what_the_parent_ignores_stays_ignored) {
    const pid_t pid = child([] {
        std::signal(SIGHUP, SIG_IGN);
        handle_interruption();
        ::raise(SIGHUP);
        return 7;
    });
    const int status = wait_for(pid);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Interruption, a_closed_pipe_and_a_full_file_are_failing_writes) {
    const TempFolder folder;
    ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
    const pid_t writer = child([&] {
        handle_interruption();
        const int reader = ::open(folder.path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
        const int descriptor = ::open(folder.path("pipe").c_str(), O_WRONLY);
        ::dup2(descriptor, STDOUT_FILENO);
        ::close(reader);
        OutputSet set;
        set.add(folder.path("x"), "1");
        set.add("-", "2");
        return set.commit().error().exit_status();
    });
    EXPECT_EQ(WEXITSTATUS(wait_for(writer)), 1);
    EXPECT_THAT(folder.names(), ElementsAre("pipe"));

    const pid_t limited = child([&] {
        handle_interruption();
        const rlimit limit{100, 100};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        OutputSet set;
        set.add(folder.path("x"), std::string(1000, 'x'));
        return set.commit().error().exit_status();
    });
    const int status = wait_for(limited);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 1);
    EXPECT_THAT(folder.names(), ElementsAre("pipe"));
}

}  // namespace
}  // namespace memside
