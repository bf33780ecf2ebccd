// What caller, guard and worker of isolated_runner.h send each other: whole messages over sockets
// that keep their bounds (SOCK_SEQPACKET). Internal to the runner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tune/kernel.h"
#include "tune/trial.h"

namespace memside::tune {

struct WorkRequest {
    std::array<std::uint8_t, 16> values{};
    std::uint32_t knobs = 0;
    Sampling sampling;
};

struct WorkReply {
    // The factory failed: there is no measurer, and no candidate is to blame.
    std::uint32_t no_measurer = 0;
    TrialStatus status = TrialStatus::refused;
    double time_ns = 0;
    std::array<char, 1024> error{};  // ended by a zero, cut where it is longer
};
static_assert(std::is_trivially_copyable_v<WorkRequest>);
static_assert(std::is_trivially_copyable_v<WorkReply>);

WorkRequest make_request(const Point& point, const Sampling& sampling);
Point point_of(const WorkRequest& request);
WorkReply make_reply(const TrialResult& result);
TrialResult result_of(const WorkReply& reply);

// False when the other side is gone.
bool send_message(int socket, const void* message, std::size_t bytes);
bool receive_message(int socket, void* message, std::size_t bytes);

template <typename T>
bool send_message(int socket, const T& message) {
    return send_message(socket, &message, sizeof message);
}
template <typename T>
bool receive_message(int socket, T& message) {
    return receive_message(socket, &message, sizeof message);
}

}  // namespace memside::tune
