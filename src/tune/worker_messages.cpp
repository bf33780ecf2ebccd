#include "tune/worker_messages.h"

#include <sys/socket.h>

#include <cassert>
#include <cerrno>

namespace memside::tune {

WorkRequest make_request(const Point& point, const Sampling& sampling) {
    WorkRequest request;
    assert(point.size() <= request.values.size());
    std::copy(point.begin(), point.end(), request.values.begin());
    request.knobs = static_cast<std::uint32_t>(point.size());
    request.sampling = sampling;
    return request;
}

Point point_of(const WorkRequest& request) {
    return {request.values.begin(), request.values.begin() + request.knobs};
}

WorkReply make_reply(const TrialResult& result) {
    WorkReply reply;
    reply.status = result.status;
    reply.time_ns = result.time_ns;
    const std::size_t kept = std::min(result.error.size(), reply.error.size() - 1);
    std::copy_n(result.error.begin(), kept, reply.error.begin());
    return reply;
}

TrialResult result_of(const WorkReply& reply) {
    return {reply.status, reply.time_ns, reply.error.data()};
}

bool send_message(int socket, const void* message, std::size_t bytes) {
    ssize_t sent = 0;
    do {
        sent = ::send(socket, message, bytes, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == static_cast<ssize_t>(bytes);
}

bool receive_message(int socket, void* message, std::size_t bytes) {
    ssize_t received = 0;
    do {
        received = ::recv(socket, message, bytes, 0);
    } while (received < 0 && errno == EINTR);
    return received == static_cast<ssize_t>(bytes);
}

}  // namespace memside::tune
