#include "dram/refresh.h"

#include <limits>

namespace memside::dram {

RefreshSchedule::RefreshSchedule(const Spec& spec, RefreshMode mode) : mode_(mode) {
    const Level& level = spec.levels[static_cast<std::size_t>(spec.refresh_level)];
    scope_shift_ = level.shift;
    scopes_.resize(static_cast<std::size_t>(level.nodes));
    banks_per_command_ = spec.banks_per_refpb;
    interval_ = mode == RefreshMode::per_bank ? spec.refresh_bank_interval : spec.refresh_interval;
    next_due_ = mode == RefreshMode::none ? std::numeric_limits<Cycle>::max() : interval_;
    for (int scope = 0; scope < scopes(); ++scope) {
        scopes_[static_cast<std::size_t>(scope)].targets = target_banks(scope);
    }
}

BankSet RefreshSchedule::target_banks(int scope) const {
    const int banks = 1 << scope_shift_;
    if (all_bank()) {
        const BankSet all = banks == 64 ? ~BankSet{0} : (BankSet{1} << banks) - 1;
        return all << first_bank(scope);
    }
    const int turn = scopes_[static_cast<std::size_t>(scope)].turn;
    BankSet set = BankSet{1} << turn;
    if (banks_per_command_ == 2) set |= BankSet{1} << (turn + banks / 2);
    return set << first_bank(scope);
}

void RefreshSchedule::advance(Cycle now) {
    if (now < next_due_) return;
    while (next_due_ <= now) {
        for (Scope& scope : scopes_) ++scope.owed;
        next_due_ += interval_;
    }
    update_blocked();
}

void RefreshSchedule::update_blocked() {
    blocked_ = 0;
    for (const Scope& scope : scopes_) {
        if (scope.owed > 0) blocked_ |= scope.targets;
    }
}

void RefreshSchedule::done(int scope) {
    Scope& served = scopes_[static_cast<std::size_t>(scope)];
    --served.owed;
    if (!all_bank()) {
        const int turns = (1 << scope_shift_) / banks_per_command_;
        served.turn = (served.turn + 1) % turns;
        served.targets = target_banks(scope);
    }
    update_blocked();
}

}  // namespace memside::dram
