#include "tune/isolated_runner.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tune/worker_guard.h"
#include "tune/worker_messages.h"

namespace memside::tune {
namespace {

Error refused_by_system(const char* call) {
    return {"measuring in a process of its own", fmt::format("{}: {}", call, std::strerror(errno)),
            Error::Kind::environment};
}

}  // namespace

Result<std::unique_ptr<IsolatedRunner>> IsolatedRunner::start(MeasurerFactory factory,
                                                              const RunnerLimits& limits) {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return refused_by_system("socketpair");
    }
    const pid_t guard = ::fork();
    if (guard == 0) {
        ::close(pair[0]);
        guard_workers(pair[1], factory, limits);
    }
    ::close(pair[1]);
    if (guard < 0) {
        ::close(pair[0]);
        return refused_by_system("fork");
    }
    return std::unique_ptr<IsolatedRunner>(new IsolatedRunner(pair[0], guard));
}

IsolatedRunner::~IsolatedRunner() {
    ::close(socket_);
    ::waitpid(guard_, nullptr, 0);
}

Result<TrialResult> IsolatedRunner::run(const Point& point, const Sampling& sampling) {
    WorkReply reply;
    if (!send_message(socket_, make_request(point, sampling)) || !receive_message(socket_, reply)) {
        return Error{"measuring in a process of its own", "the process that guards it is gone",
                     Error::Kind::environment};
    }
    TrialResult result = result_of(reply);
    if (reply.no_measurer != 0) return Error{"", result.error, Error::Kind::environment};
    return result;
}

}  // namespace memside::tune
