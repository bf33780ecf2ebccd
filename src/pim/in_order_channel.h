// One channel, or several alike, under the in-order scheduler: when its requests enter and issue.
#pragma once

#include "pim/channel_state.h"
#include "pim/host_queue.h"
#include "pim/issue_history.h"
#include "pim/request_kind.h"

namespace memside::pim {

// What the host learns from an instruction that was handed to a channel.
struct Handed {
    Time entered = 0;   // cycle in which its last request entered the queue
    Time answered = 0;  // of a blocking one: cycle of the answer
};

class InOrderChannel {
  public:
    explicit InOrderChannel(const RunContext& context) : state(context) {}

    // Requests of the AiM queue, decoded at `decoded`. `row`: that of the command.
    Handed run_aim(const RunContext& context, const RequestKind& kind, const Instruction& from,
                   std::uint32_t row, Time decoded);
    // A request of the read or the write queue.
    Handed run_host(const RunContext& context, const RequestKind& kind, const Instruction& from,
                    Time decoded);
    // The cycle in which a barrier that was decoded at `decoded` is answered.
    Time run_barrier(const RunContext& context, Time decoded);
    void finish(const RunContext& context, Time cycles);

    // True when nothing waits or is under way at `time`; then forgets what no longer matters.
    bool settle(const RunContext& context, Time time);
    bool equal(const InOrderChannel& other) const {
        return last_completion_ == other.last_completion_ && state.equal(other.state);
    }

    ChannelState state;

  private:
    HostQueue host_;
    IssueHistory history_;
    Time last_aim_issue_ = 0;
    Time last_completion_ = 0;  // of AiM requests that do not block
};

}  // namespace memside::pim
