// Inside of the controller: controller.cpp runs it and takes requests in, controller_schedule.cpp
// chooses commands, controller_issue.cpp carries them out.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "dram/controller.h"
#include "dram/refresh.h"
#include "dram/request_queue.h"
#include "dram/timing_state.h"

namespace memside::dram {

inline constexpr Cycle never = std::numeric_limits<Cycle>::max();

// What may be issued: the oldest of the requests considered so far.
struct Choice {
    Command command = Command::act;
    int bank = -1;
    std::uint64_t order = RequestQueue::none;
    RequestQueue* queue = nullptr;  // null: an opened request, or refresh
    int refresh_scope = -1;
    bool found() const { return bank >= 0; }
};

class Controller {
  public:
    Controller(const Spec& spec, const ControllerOptions& options, RequestSource& source);
    ControllerStats run();

  private:
    static std::size_t at(int bank) { return static_cast<std::size_t>(bank); }
    static BankSet bit(int bank) { return BankSet{1} << bank; }
    void consider_event(Cycle cycle) { next_event_ = std::min(next_event_, cycle); }

    // The first cycle from `now` on at which the rules and the clock edges admit the command.
    Cycle admitted(Command command, int bank, Cycle now) const {
        Cycle cycle = std::max(timing_.earliest(command, bank), now);
        if (!spec_.half_clock[index(command)]) cycle += cycle & 1;
        return cycle;
    }

    // Issue at most one command per bus; whether there was one.
    bool schedule(Cycle now);
    bool shared_bus(Cycle now);
    bool column_bus(Cycle now);
    bool row_bus(Cycle now);
    bool bus_busy(Cycle free_at, Cycle now);

    template <typename Order>
    void consider(BankSet banks, Command command, RequestQueue* queue, Cycle now, Choice& best,
                  Order order);
    void consider_opened(Cycle now, Choice& best);
    void consider_refresh(Cycle now, Choice& best);
    void consider_columns(RequestQueue& queue, Cycle now, Choice& best);
    void consider_rows(RequestQueue& queue, Cycle now, Choice& best);

    // Put a command on its bus and carry out what follows from it.
    void issue(const Choice& choice, Cycle now);
    void issue_act2(Cycle now);
    void issue_column(const Choice& choice, Cycle now);
    void issue_refresh(const Choice& choice, Cycle now);
    void issue_act(const Choice& choice, Cycle now);
    void record(Command command, int bank, Cycle now, int row = 0);

    RequestQueue& current_queue() { return draining_ ? writes_ : reads_; }
    Command column_command(const RequestQueue& queue) const {
        return &queue == &writes_ ? Command::wr : Command::rd;
    }
    void set_row(int bank, int row);
    void update_drain();
    void accept(Cycle now);
    void served(Cycle now);
    void count(QueuedRequest& entry, std::int64_t& outcome);

    const Spec& spec_;
    const ControllerOptions& options_;
    RequestSource& source_;
    TimingState timing_;
    RefreshSchedule refresh_;
    RequestQueue reads_;
    RequestQueue writes_;
    int drain_from_;
    int drain_to_;
    bool draining_ = false;

    Request waiting_;  // the source's next request, while more_
    bool more_ = false;
    std::uint64_t accepted_ = 0;

    // A request whose ACT has been issued holds its bank until its column command.
    std::vector<QueuedRequest> opened_;
    BankSet opened_banks_ = 0;
    std::vector<int> open_row_;
    BankSet open_banks_ = 0;

    Cycle row_bus_free_ = 0;  // of the one bus where it is shared
    Cycle column_bus_free_ = 0;
    int act2_bank_ = -1;  // waits for its ACT2
    Cycle act2_deadline_ = 0;
    Cycle sync_until_ = 0;
    Choice synced_;  // its CAS has been issued: the next command

    Cycle next_event_ = never;
    ControllerStats stats_;
    std::int64_t served_ = 0;
    Cycle last_column_ = 0;
    Cycle measured_from_ = 0;
};

}  // namespace memside::dram
