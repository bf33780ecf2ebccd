// Host reads and writes of one channel: first ready, first come, first served, with the rules of
// docs/pim.md. Event by event, on the same ChannelState as the AiM commands.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "pim/channel_state.h"

namespace memside::pim {

struct HostRequest {
    std::uint32_t row = 0;
    std::uint16_t column = 0;
    std::uint8_t bank = 0;
    bool write = false;
    std::uint64_t order = 0;      // of entry
    std::uint32_t waits_for = 0;  // earlier requests of the other kind to the same place

    Command command() const { return write ? Command::wr : Command::rd; }
    bool same_place(const HostRequest& other) const {
        return bank == other.bank && row == other.row && column == other.column;
    }
};

class HostQueue {
  public:
    static constexpr std::uint32_t capacity = 33;  // of reads, and of writes

    bool empty() const { return size_ == 0; }

    // Issues everything that goes before cycle `time`.
    void advance(const RunContext& context, ChannelState& state, Time time);
    // Issues everything; the first cycle in which an AiM request may enter, at least `time`.
    Time drain(const RunContext& context, ChannelState& state, Time time);
    // The cycle in which `request` enters, at least `time`; issues everything that goes before.
    Time enter(const RunContext& context, ChannelState& state, HostRequest request, Time time);

    // Cycle in which the last of all requests so far is done.
    Time last_completion() const { return last_completion_; }

  private:
    // Requests in order of age. Activated ones are at most one a bank.
    struct List {
        std::array<HostRequest, capacity> items{};
        std::uint32_t count = 0;

        const HostRequest* begin() const { return items.data(); }
        const HostRequest* end() const { return items.data() + count; }
        HostRequest* begin() { return items.data(); }
        HostRequest* end() { return items.data() + count; }
        void push(const HostRequest& request) { items[count++] = request; }
        HostRequest take(std::uint32_t index);
    };
    struct Choice {
        List* list = nullptr;
        std::uint32_t index = 0;
        Command command = Command::act;
        Time time = never;
    };

    bool step(const RunContext& context, ChannelState& state, Time limit);
    Choice choose(List& list, const ChannelState& state) const;
    List& list_to_serve();
    void serve(const RunContext& context, ChannelState& state, const Choice& choice);
    void finish_request(const HostRequest& request);
    bool bank_active(unsigned bank) const { return (active_banks_ >> bank & 1u) != 0; }

    List reads_, writes_, active_;
    std::uint32_t size_ = 0;  // of all three
    std::uint32_t active_banks_ = 0;
    bool write_mode_ = false;
    std::uint64_t entered_ = 0;
    Time present_ = 0;  // since when some request is there
    Time now_ = 0;      // nothing happens earlier any more
    Time last_completion_ = 0;
};

}  // namespace memside::pim
