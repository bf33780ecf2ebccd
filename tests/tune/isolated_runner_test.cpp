#include "tune/isolated_runner.h"

#include <sys/wait.h>

#include "tune/kernels.h"

namespace memside::tune {
namespace {

const Sampling quick{1, 1e3, false};

std::unique_ptr<IsolatedRunner> runner(double time_s = 20) {
    auto started = IsolatedRunner::start(make_test_measurer, {time_s, std::size_t{1} << 30});
    EXPECT_TRUE(started.ok());
    return std::move(*started);
}

TrialResult run(IsolatedRunner& where, Behaviour behaviour) {
    const auto result = where.run({behaviour}, quick);
    EXPECT_TRUE(result.ok()) << result.error().message();
    return result.ok() ? *result : TrialResult{};
}

TEST(IsolatedRunner, every_failure_is_recorded_and_the_next_candidate_is_measured) {
    // What hangs costs the limit; what does not must stay far below it, on a busy machine too.
    const auto where = runner(5);
    struct Case {
        Behaviour behaviour;
        TrialStatus status;
        const char* error;
    };
    const Case cases[] = {
        {does_not_compile, TrialStatus::refused, "register tile: has no registers"},
        {wrong_output, TrialStatus::wrong, "byte 700 is"},
        {wrong_second_run, TrialStatus::wrong, "after more runs, byte 700 is"},
        {segfaults, TrialStatus::crashed, "signal 11 (Segmentation fault)"},
        {ends_the_process, TrialStatus::crashed, "it ended with status 3"},
        {throws_exception, TrialStatus::crashed, "exception: no such register"},
        {hangs, TrialStatus::timed_out, "stopped after 5 s"},
    };
    for (const Case& one : cases) {
        const TrialResult result = run(*where, one.behaviour);
        EXPECT_EQ(result.status, one.status) << result.error;
        EXPECT_THAT(result.error, testing::StartsWith(one.error));
        EXPECT_EQ(result.time_ns, 0);
        EXPECT_EQ(run(*where, good).status, TrialStatus::ok);
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(IsolatedRunner, a_candidate_that_takes_all_memory_is_stopped) {
    const auto where = runner();
    const TrialResult result = run(*where, takes_all_memory);
    EXPECT_EQ(result.status, TrialStatus::crashed);
    EXPECT_EQ(result.error, "out of memory");
    EXPECT_EQ(run(*where, good).status, TrialStatus::ok);
}
#endif

TEST(IsolatedRunner, a_candidate_does_not_answer_for_the_one_before_it) {
    const auto where = runner();
    EXPECT_EQ(run(*where, crashes_the_next).status, TrialStatus::ok);
    EXPECT_EQ(run(*where, good).status, TrialStatus::ok);
    EXPECT_EQ(run(*where, good).status, TrialStatus::ok);
}

TEST(IsolatedRunner, what_candidates_print_stays_off_standard_output) {
    testing::internal::CaptureStdout();
    {
        const auto where = runner();
        EXPECT_EQ(run(*where, writes_to_stdout).status, TrialStatus::ok);
    }
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

TEST(IsolatedRunner, a_factory_that_fails_is_an_error_and_no_trial) {
    const auto started = IsolatedRunner::start(
        []() -> Result<std::unique_ptr<Measurer>> { return bad_input("cpu", "lacks VNNI"); }, {});
    ASSERT_TRUE(started.ok());
    const auto result = (*started)->run({good}, quick);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message(), "cpu: lacks VNNI");
}

TEST(IsolatedRunner, nothing_is_left_running_when_the_caller_is_killed) {
    // The worker holds the pipe open as long as it lives.
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t caller = ::fork();
    if (caller == 0) {
        ::close(ends[0]);
        const auto where = runner(60);
        (void)::write(ends[1], "r", 1);
        (void)where->run({hangs}, quick);
        ::_exit(0);
    }
    ::close(ends[1]);
    char byte = 0;
    ASSERT_EQ(::read(ends[0], &byte, 1), 1);
    ::kill(caller, SIGKILL);
    ::waitpid(caller, nullptr, 0);
    // End of file: every process that had the other end is gone.
    EXPECT_EQ(::read(ends[0], &byte, 1), 0);
    ::close(ends[0]);
}

}  // namespace
}  // namespace memside::tune
