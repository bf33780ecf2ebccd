#include "tune/worker_guard.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "base/number.h"
#include "tune/measure.h"
#include "tune/worker_messages.h"

namespace memside::tune {
namespace {

using Clock = std::chrono::steady_clock;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool limits_memory = false;
#else
constexpr bool limits_memory = true;
#endif

// Bytes of address space that the process has.
std::size_t address_space() {
    unsigned long pages = 0;
    if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
        if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
        std::fclose(file);
    }
    return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void limit_worker(const RunnerLimits& limits) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    if (limits_memory && limits.memory_bytes > 0) {
        const rlim_t most = address_space() + limits.memory_bytes;
        const rlimit memory{most, most};
        ::setrlimit(RLIMIT_AS, &memory);
    }
    // Standard output is the command's.
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    // What kills a candidate shall kill it, whatever the command does about signals.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ}) {
        std::signal(signal, SIG_DFL);
    }
}

TrialResult measure_or_explain(Measurer& measurer, const WorkRequest& request) {
    try {
        return measure(measurer, point_of(request), request.sampling);
    } catch (const std::bad_alloc&) {
        return failed(TrialStatus::crashed, "out of memory");
    } catch (const std::exception& error) {
        return failed(TrialStatus::crashed, fmt::format("exception: {}", error.what()));
    }
}

[[noreturn]] void work(int socket, const MeasurerFactory& factory, const RunnerLimits& limits) {
    limit_worker(limits);
    const Result<std::unique_ptr<Measurer>> measurer = factory();
    WorkRequest request;
    while (receive_message(socket, request)) {
        WorkReply reply;
        if (measurer.ok()) {
            reply = make_reply(measure_or_explain(**measurer, request));
        } else {
            reply = make_reply(failed(TrialStatus::refused, measurer.error().message()));
            reply.no_measurer = 1;
        }
        if (!send_message(socket, reply)) break;
    }
    // Not exit(): the buffers and handlers that were inherited are the caller's.
    std::_Exit(0);
}

class Guard {
  public:
    Guard(int caller, const MeasurerFactory& factory, const RunnerLimits& limits)
        : caller_(caller), factory_(factory), limits_(limits) {}

    [[noreturn]] void serve() {
        WorkRequest request;
        while (receive_message(caller_, request)) {
            WorkReply reply = attempt(request);
            const bool shared = measured_ > 1;
            if (reply.status == TrialStatus::crashed && shared) reply = attempt(request);
            if (!send_message(caller_, reply)) break;
        }
        stop();
        std::_Exit(0);
    }

  private:
    WorkReply attempt(const WorkRequest& request) {
        if (worker_ == 0 && !start()) {
            WorkReply reply = make_reply(
                failed(TrialStatus::refused, fmt::format("no process: {}", std::strerror(errno))));
            reply.no_measurer = 1;
            return reply;
        }
        ++measured_;
        WorkReply reply;
        if (!send_message(socket_, request)) return ended();
        switch (wait_for_reply()) {
            case Waited::reply:
                if (!receive_message(socket_, reply)) return ended();
                // An exception leaves behind who knows what.
                if (reply.status == TrialStatus::crashed) stop();
                return reply;
            case Waited::timeout:
                stop();
                return make_reply(
                    failed(TrialStatus::timed_out,
                           fmt::format("stopped after {}", format_seconds(limits_.time_s))));
            case Waited::caller_gone:
                break;
        }
        stop();
        std::_Exit(0);
    }

    enum class Waited { reply, timeout, caller_gone };
    Waited wait_for_reply() const {
        const auto limit = Clock::now() + std::chrono::duration<double>(limits_.time_s);
        for (;;) {
            const double left =
                std::chrono::duration<double, std::milli>(limit - Clock::now()).count();
            if (left <= 0) return Waited::timeout;
            // The caller sends nothing meanwhile: what comes from it is its end.
            pollfd both[] = {{socket_, POLLIN, 0}, {caller_, POLLIN, 0}};
            const int ready = ::poll(both, 2, static_cast<int>(std::min(left + 1, 60e3)));
            if (ready < 0 && errno != EINTR) return Waited::caller_gone;
            if (ready <= 0) continue;
            if (both[0].revents != 0) return Waited::reply;
            if (both[1].revents != 0) return Waited::caller_gone;
        }
    }

    bool start() {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::close(pair[0]);
            ::close(caller_);
            work(pair[1], factory_, limits_);
        }
        ::close(pair[1]);
        if (pid < 0) {
            ::close(pair[0]);
            return false;
        }
        socket_ = pair[0];
        worker_ = pid;
        measured_ = 0;
        return true;
    }

    // The worker has closed its socket by ending.
    WorkReply ended() {
        int status = 0;
        ::waitpid(worker_, &status, 0);
        forget();
        if (WIFSIGNALED(status)) {
            return make_reply(failed(
                TrialStatus::crashed,
                fmt::format("signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)))));
        }
        return make_reply(failed(TrialStatus::crashed,
                                 fmt::format("it ended with status {}", WEXITSTATUS(status))));
    }

    void stop() {
        if (worker_ == 0) return;
        ::kill(worker_, SIGKILL);
        ::waitpid(worker_, nullptr, 0);
        forget();
    }

    void forget() {
        ::close(socket_);
        socket_ = -1;
        worker_ = 0;
    }

    int caller_;
    const MeasurerFactory& factory_;
    const RunnerLimits& limits_;
    int socket_ = -1;
    pid_t worker_ = 0;
    int measured_ = 0;  // candidates that the worker has had
};

}  // namespace

void guard_workers(int socket, const MeasurerFactory& factory, const RunnerLimits& limits) {
    Guard(socket, factory, limits).serve();
}

}  // namespace memside::tune
