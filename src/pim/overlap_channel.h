// One channel under `ping-pong` or `dcs`: a queue for transfers and one for compute, each FIFO,
// with free order between them as far as the buffers' tables and the timing constraints admit.
// docs/pim-scheduling.md has the rules.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <utility>
#include <vector>

#include "pim/activity_meter.h"
#include "pim/command_clock.h"
#include "pim/simulation.h"

namespace memside::pim {

// Transfers between GPR and buffers; everything that uses a bank or a unit behind it.
enum class Side : std::uint8_t { transfer, compute };

inline constexpr Cycle no_cycle = std::numeric_limits<Cycle>::max();
// Accumulator entries per bank (OBuf) that these schedulers keep a table for. Its depth is not
// published; see docs/pim-scheduling.md.
inline constexpr std::uint32_t obuf_entries = 64;

// What touches a buffer: GBuf entries, accumulator entries, the results of the activation unit.
using BufferEntry = std::uint16_t;
inline constexpr BufferEntry no_entry = 0xffff;
constexpr BufferEntry gbuf_entry(std::uint32_t entry) {
    return static_cast<BufferEntry>(entry);
}
constexpr BufferEntry obuf_entry(std::uint32_t entry) {
    return static_cast<BufferEntry>(gbuf_entries + entry);
}
constexpr BufferEntry activation_entry(std::uint32_t entry) {
    return static_cast<BufferEntry>(gbuf_entries + obuf_entries + entry);
}

// One column command, from the moment at which the HUB puts it into a queue.
struct ColumnWork {
    Command command = Command::wrgb;
    std::uint8_t bank = 0;
    bool last = false;  // of its instruction
    std::array<BufferEntry, 2> entries = {no_entry, no_entry};
    std::uint32_t row = 0;
    std::uint32_t offset = 0;       // column or entry within the instruction
    std::uint64_t instruction = 0;  // number in program order
    Cycle arrival = 0;
};

struct IssuedCommand {
    Cycle cycle = 0;
    Cycle busy_cycles = 0;  // what it counts for, see Activity
    std::uint64_t instruction = 0;
    std::uint32_t offset = 0;
    Command command = Command::act;
    Side side = Side::compute;
    bool column = false;  // not a row command, mode switch or refresh
    bool refresh = false;

    friend bool operator==(const IssuedCommand&, const IssuedCommand&) = default;
};

// What all channels of a run share.
struct OverlapContext {
    OverlapContext(const Timing& timing, const SimulationOptions& options);

    // When the refresh number `count`, from 1, is due.
    Cycle refresh_due(std::uint64_t count) const;

    Timing timing;
    ConstraintTable table;
    bool halves = false;  // ping-pong: tables of two halves per buffer; else one per entry
    Cycle handover = 0;   // dcs: cycles that an entry takes to change sides
    RefreshMode refresh = RefreshMode::off;
    bool record = false;
    std::array<Cycle, command_count> opening{};  // from ACT to a column command
};

class OverlapChannel {
  public:
    // `shared` outlives the channel.
    explicit OverlapChannel(const OverlapContext& shared);

    // Appends to a queue. Arrivals never decrease.
    void push(Side side, const ColumnWork& work);

    // Column commands that were pushed and not yet issued.
    std::uint64_t pending(Side side) const { return queue(side).pushed - queue(side).issued; }

    // Issues until at most `count` commands of `side` are left; returns the first cycle of which
    // that holds at its beginning. Nothing further may arrive before that cycle.
    Cycle run_until_fits(Side side, std::uint64_t count);
    // Issues until `instruction`, if it is in the queue of `side`, has left it.
    void run_past(Side side, std::uint64_t instruction);
    // Issues everything; returns the cycle in which the last command completes.
    Cycle drain();
    // Issues what can be before `horizon`, before which nothing further arrives.
    void run_before(Cycle horizon);

    // The cycle of completion of an instruction with GPR operands that has left its queue, 0 if it
    // was forgotten; what is before `instruction` may be forgotten.
    Cycle completed_at(std::uint64_t instruction) const;
    bool left(Side side, std::uint64_t instruction) const;
    void forget_before(std::uint64_t instruction);

    ChannelResult finish(Cycle end);
    const std::vector<IssuedCommand>& log() const { return log_; }

  private:
    // A FIFO over a ring; `pushed` and `issued` count from the beginning of the run.
    struct Queue {
        struct Item {
            ColumnWork work;
            // Commands of the other side that must have been issued before: its dependency ids.
            std::array<std::uint64_t, 2> after{};
        };
        std::vector<Item> ring;
        std::uint64_t pushed = 0;
        std::uint64_t issued = 0;
        const Item& front() const { return ring[issued & (ring.size() - 1)]; }
        bool empty() const { return pushed == issued; }
    };
    // D-Table and S-Table of one entry.
    struct Entry {
        std::array<std::uint64_t, 2> last_pushed{};  // by side: the last toucher's number, from 1
        Cycle completion = 0;                        // of the last command that was issued
        Side side = Side::compute;
        bool touched = false;
        bool is_mac = false;
    };
    // Half a buffer under ping-pong. Its commands fall into turns: one side's as long as program
    // order has none of the other side in between.
    struct Turn {
        Side side = Side::compute;
        Cycle arrival = 0;  // of its first command
        std::uint64_t unissued = 0;
    };
    struct Half {
        std::deque<Turn> turns;  // the one under way, and those that were pushed after it
        Side owner = Side::compute;
        Cycle completion = 0;  // of all commands so far
        Cycle usable = 0;      // from when on its owner may use it
    };
    struct Candidate {
        Cycle cycle = no_cycle;
        Command command = Command::act;
        Side side = Side::compute;
        std::uint8_t bank = 0;
        std::uint8_t half = 0;  // of TMOD: the one that changes hands
        bool column = false;
        bool refresh = false;
    };

    Queue& queue(Side side) { return queues_[static_cast<std::size_t>(side)]; }
    const Queue& queue(Side side) const { return queues_[static_cast<std::size_t>(side)]; }
    void push_turn(BufferEntry entry, Side side, Cycle arrival);
    // From when on the tables let the head of `side` touch its entry `slot`; no_cycle: not yet
    // known.
    Cycle entry_ready(Side side, const Queue::Item& item, std::size_t slot) const;
    Candidate head(Side side) const;
    Candidate handover() const;
    Candidate refresh_step() const;
    bool step(Cycle horizon);
    void issue(const Candidate& candidate);
    void issue_handover(const Candidate& candidate);
    void issue_refresh(const Candidate& candidate);
    void issue_column(const Candidate& candidate, const Queue::Item& item);
    void record(const Candidate& candidate, Cycle busy_cycles);

    const OverlapContext* shared_;
    CommandClock clock_;
    std::array<Queue, 2> queues_;
    std::vector<Entry> table_;    // dcs
    std::array<Half, 4> halves_;  // ping-pong: two of GBuf, two of OBuf
    ActivityMeter meter_;
    Cycle completed_ = 0;  // of all column commands so far
    Cycle refresh_due_ = no_cycle;
    std::uint64_t refreshes_ = 0;
    bool activated_ = false;  // a row was opened for the head of the compute queue
    std::array<std::uint64_t, command_count> commands_{};
    std::vector<std::pair<std::uint64_t, Cycle>> completions_;  // of instructions with GPRs
    std::vector<IssuedCommand> log_;
};

}  // namespace memside::pim
