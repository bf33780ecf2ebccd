// Which banks are due for refresh: every scope (a rank, a pseudo-channel, a channel) owes one
// all-bank refresh per nREFI, or one per-bank refresh, in turn, per nREFIpb.
#pragma once

#include <vector>

#include "dram/controller.h"
#include "dram/request_queue.h"

namespace memside::dram {

class RefreshSchedule {
  public:
    // `mode` must be one that the standard has.
    RefreshSchedule(const Spec& spec, RefreshMode mode);

    // Takes note of what has become due up to `now`.
    void advance(Cycle now);
    // When the next refresh becomes due; the largest Cycle without refresh.
    Cycle next_due() const { return next_due_; }

    int scopes() const { return static_cast<int>(scopes_.size()); }
    bool due(int scope) const { return scopes_[static_cast<std::size_t>(scope)].owed > 0; }
    // The banks that the refresh now due in a scope covers, and the first bank of the scope.
    BankSet targets(int scope) const { return scopes_[static_cast<std::size_t>(scope)].targets; }
    int first_bank(int scope) const { return scope << scope_shift_; }
    // Banks of all refreshes that are due.
    BankSet blocked() const { return blocked_; }
    bool all_bank() const { return mode_ == RefreshMode::all_bank; }

    void done(int scope);

  private:
    struct Scope {
        int owed = 0;
        int turn = 0;
        BankSet targets = 0;
    };
    BankSet target_banks(int scope) const;
    void update_blocked();

    RefreshMode mode_;
    Cycle interval_ = 0;
    Cycle next_due_ = 0;
    int scope_shift_ = 0;
    int banks_per_command_ = 1;
    std::vector<Scope> scopes_;
    BankSet blocked_ = 0;
};

}  // namespace memside::dram
