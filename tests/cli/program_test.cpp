// What holds of the program whatever the command: help, standard output that fails, exceptions.
#include <fcntl.h>
#include <stdlib.h>

#include <cstdio>
#include <new>
#include <stdexcept>

#include "cli/command.h"
#include "cli/process.h"
#include "cli/terminal.h"

namespace memside {
namespace {

using testing::HasSubstr;

const std::vector<std::vector<std::string>> printing{
    {"--help"},         {"--version"},        {"list", "models"},     {"list", "systems"},
    {"list", "--help"}, {"list", "policies"}, {"simulate", "--help"}, {"report", "--help"}};

TEST(Program, output_that_cannot_be_written_is_a_failure_in_one_line) {
    const Workplace place;
    for (const auto& arguments : printing) {
        const Outcome outcome = place.run(arguments, "> /dev/full");
        EXPECT_EQ(outcome.exit_status, 1) << arguments.front();
        EXPECT_TRUE(outcome.one_line()) << outcome.err;
        EXPECT_THAT(outcome.err, HasSubstr("standard output: cannot write: No space left"));
        EXPECT_EQ(place.run(arguments).exit_status, 0);
    }
    EXPECT_EQ(place.run({"list", "models"}, ">&-").exit_status, 1);
    EXPECT_EQ(place.run({}, "> /dev/full").exit_status, 1);
    EXPECT_EQ(place.run({}).exit_status, 2);
}

TEST(Program, errors_that_nobody_can_read_keep_their_exit_status) {
    const Workplace place;
    EXPECT_EQ(place.run({"list", "nothing"}, "2> /dev/full").exit_status, 2);
    EXPECT_EQ(place.run({"nothing"}, "2> /dev/full").exit_status, 2);
}

TEST(Program, an_unknown_command_gets_a_suggestion) {
    const Workplace place;
    const Outcome outcome = place.run({"simulat"});
    EXPECT_EQ(outcome.exit_status, 2);
    EXPECT_EQ(outcome.err, "memside: unknown command 'simulat'; did you mean 'simulate'?\n");
}

TEST(Program, an_exception_is_a_failure_in_one_line) {
    using Arguments = std::vector<std::string>;
    using Body = int (*)(const Arguments&);
    const auto run = [](Body body) {
        testing::internal::CaptureStderr();
        const int status = cli::run_guarded(body, {});
        return fmt::format("{} {}", status, testing::internal::GetCapturedStderr());
    };
    EXPECT_EQ(run([](const Arguments&) { return 2; }), "2 ");
    EXPECT_EQ(run([](const Arguments&) -> int { throw std::bad_alloc(); }),
              "1 memside: out of memory\n");
    EXPECT_EQ(run([](const Arguments&) -> int { throw std::runtime_error("a\nb"); }),
              "1 memside: unexpected failure: a\\x0ab\n");
    EXPECT_EQ(run([](const Arguments&) -> int { throw 3; }), "1 memside: unexpected failure\n");
}

TEST(Colour, is_for_terminals_whose_user_has_not_set_no_color) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal, 0);
    ASSERT_EQ(::grantpt(terminal) + ::unlockpt(terminal), 0);
    const int screen = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
    ASSERT_GE(screen, 0);
    const int before = ::dup(STDOUT_FILENO);
    const auto wanted = [](int standard_output, const char* no_colour) {
        std::fflush(stdout);
        ::dup2(standard_output, STDOUT_FILENO);
        if (no_colour != nullptr) ::setenv("NO_COLOR", no_colour, 1);
        const bool wants = cli::wants_colour();
        ::unsetenv("NO_COLOR");
        return wants;
    };
    ::unsetenv("NO_COLOR");
    const bool plain = wanted(screen, nullptr);
    const bool empty = wanted(screen, "");
    const bool refused = wanted(screen, "1");
    const bool piped = wanted(::open("/dev/null", O_WRONLY), nullptr);
    ::dup2(before, STDOUT_FILENO);
    EXPECT_TRUE(plain);
    EXPECT_TRUE(empty);
    EXPECT_FALSE(refused);
    EXPECT_FALSE(piped);
}

}  // namespace
}  // namespace memside
