// One channel of the ticking reference: queues, banks, one command a cycle at most.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "pim/simulation.h"
#include "pim/tick_spacing.h"

namespace memside::pim::ticking {

struct TickRequest {
    Command command = Command::mac16;  // the column command it ends with
    bool barrier = false;              // SYNC and EOC: no command
    bool blocking = false;
    bool host = false;           // goes through the read or the write queue
    bool register_mode = false;  // the mode it needs
    bool needs_row = false;
    unsigned bank = 0;
    std::uint32_t row = 0;
    std::uint32_t column = 0;
    std::uint64_t order = 0;  // of entry
    bool activated = false;   // an ACT was issued for it, its column command not yet
};

class TickChannel {
  public:
    // `spacings` outlives the channel.
    TickChannel(RefreshMode mode, const TickRefresh& refresh, const SpacingTable& spacings);

    bool accepts(const TickRequest& request) const;
    void enter(TickRequest request);
    // Step 3 of cycle `now`. True when a blocking request or a barrier was answered.
    bool tick(std::int64_t now);

    // Activity of cycles that no later command can decide: at the end of the run.
    void finish();
    const ChannelResult& result() const { return result_; }

  private:
    struct Next {
        Command command = Command::mac16;
        unsigned bank = 0;
    };

    bool issue(std::int64_t now);
    bool issue_refresh(std::int64_t now);
    bool issue_host(std::int64_t now);
    bool issue_from(std::vector<TickRequest>& queue, std::int64_t now);
    bool issue_next(TickRequest& request, std::int64_t now, bool& column_issued);
    void send(Command command, unsigned bank, std::int64_t now, Command replaced,
              bool for_refresh = false);

    Next next_of(const TickRequest& request) const;
    bool ready(Next next, std::int64_t now) const;
    bool must_wait_for_another(const TickRequest& request) const;
    bool row_in_use() const;
    void choose_write_mode();
    bool refresh_due(std::int64_t now) const;
    void note_refresh_issued();
    void count_idle_cycle(std::int64_t now);

    std::deque<TickRequest> aim_;
    std::vector<TickRequest> reads_, writes_, active_;
    bool write_mode_ = false;
    std::vector<std::int64_t> pending_;  // cycles of retirement
    std::int64_t answer_at_ = -1;        // of the blocking request or barrier
    std::uint64_t entered_ = 0;

    bool register_mode_ = false;
    std::array<std::int64_t, bank_count> open_row_;
    std::array<std::array<std::int64_t, bank_count>, command_count> earliest_{};

    const SpacingTable* spacings_;
    RefreshMode refresh_mode_;
    TickRefresh refresh_;
    std::int64_t refreshes_ = 0;
    std::int64_t next_due_ = 0;

    ChannelResult result_;
    std::int64_t issued_at_ = -1'000'000;
    Command issued_ = Command::mac16;
    Activity issued_activity_ = Activity::waiting;
    std::int64_t issued_lasts_ = 0;
    std::uint64_t held_ = 0;  // cycles that the next command will be charged with
};

}  // namespace memside::pim::ticking
