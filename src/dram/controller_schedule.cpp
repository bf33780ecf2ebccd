// Which command goes next: the precedence of controller.h.
#include <bit>

#include "dram/controller_core.h"

namespace memside::dram {

// Looks for the oldest of `banks`' candidates for `command`; order(bank) is its age. Those that
// have to wait leave an event for when they need not.
template <typename Order>
void Controller::consider(BankSet banks, Command command, RequestQueue* queue, Cycle now,
                          Choice& best, Order order) {
    if (banks == 0) return;
    // Rules of the whole channel hold back all banks at once.
    if (const Cycle floor = timing_.channel_earliest(command); floor > now) {
        consider_event(floor);
        return;
    }
    for (; banks != 0; banks &= banks - 1) {
        const int bank = std::countr_zero(banks);
        const std::uint64_t age = order(bank);
        if (age >= best.order) continue;
        const Cycle cycle = admitted(command, bank, now);
        if (cycle > now) {
            consider_event(cycle);
            continue;
        }
        best = {command, bank, age, queue, -1};
    }
}

void Controller::consider_opened(Cycle now, Choice& best) {
    BankSet banks = opened_banks_;
    if (act2_bank_ >= 0) banks &= ~bit(act2_bank_);
    for (; banks != 0; banks &= banks - 1) {
        const int bank = std::countr_zero(banks);
        const QueuedRequest& entry = opened_[at(bank)];
        consider(bit(bank), entry.request.write ? Command::wr : Command::rd, nullptr, now, best,
                 [&](int) { return entry.order; });
    }
}

void Controller::consider_columns(RequestQueue& queue, Cycle now, Choice& best) {
    BankSet banks = queue.hits() & ~refresh_.blocked();
    if (act2_bank_ >= 0) banks &= ~bit(act2_bank_);
    consider(banks, column_command(queue), &queue, now, best,
             [&](int bank) { return queue.oldest_hit(bank); });
}

void Controller::consider_rows(RequestQueue& queue, Cycle now, Choice& best) {
    const BankSet banks = queue.others() & ~refresh_.blocked() & ~opened_banks_;
    const auto age = [&](int bank) { return queue.oldest_other(bank); };
    if (act2_bank_ < 0) consider(banks & ~open_banks_, Command::act, &queue, now, best, age);
    BankSet closable = banks & open_banks_;
    for (BankSet both = closable & queue.hits(); both != 0; both &= both - 1) {
        const int bank = std::countr_zero(both);
        if (queue.oldest_hit(bank) < queue.oldest_other(bank)) closable &= ~bit(bank);
    }
    consider(closable, Command::pre, &queue, now, best, age);
}

// The first scope in order whose next step may be taken.
void Controller::consider_refresh(Cycle now, Choice& best) {
    if (refresh_.blocked() == 0) return;
    for (int scope = 0; scope < refresh_.scopes(); ++scope) {
        if (!refresh_.due(scope)) continue;
        const BankSet targets = refresh_.targets(scope);
        const BankSet open = open_banks_ & targets;
        if ((opened_banks_ & targets) != 0) continue;
        Command command = refresh_.all_bank() ? Command::refab : Command::refpb;
        int bank = std::countr_zero(targets);
        if (open != 0) {
            command = refresh_.all_bank() ? Command::prea : Command::pre;
            if (!refresh_.all_bank()) bank = std::countr_zero(open);
        }
        Cycle cycle = admitted(command, bank, now);
        if (command == Command::refpb) {
            for (BankSet rest = targets & (targets - 1); rest != 0; rest &= rest - 1) {
                cycle = std::max(cycle, admitted(command, std::countr_zero(rest), now));
            }
        }
        if (cycle > now) {
            consider_event(cycle);
            continue;
        }
        best = {command, bank, 0, nullptr, scope};
        return;
    }
}

bool Controller::bus_busy(Cycle free_at, Cycle now) {
    if (free_at <= now) return false;
    consider_event(free_at);
    return true;
}

bool Controller::schedule(Cycle now) {
    if (!spec_.separate_column_bus) return shared_bus(now);
    const bool column = column_bus(now);
    const bool row = row_bus(now);
    return column || row;
}

bool Controller::shared_bus(Cycle now) {
    if (bus_busy(row_bus_free_, now)) return false;
    if (synced_.found()) {
        const Choice choice = std::exchange(synced_, Choice{});
        issue(choice, now);
        return true;
    }
    if (act2_bank_ >= 0 && now >= act2_deadline_) {
        issue_act2(now);
        return true;
    }
    Choice best;
    consider_opened(now, best);
    if (!best.found()) consider_refresh(now, best);
    if (!best.found()) {
        consider_columns(current_queue(), now, best);
        consider_rows(current_queue(), now, best);
    }
    if (!best.found()) {
        if (act2_bank_ < 0) return false;
        issue_act2(now);
        return true;
    }
    if (spec_.sync_lasts > 0 && is_column(best.command) && now >= sync_until_) {
        // CAS and its column command take this cycle and the next, and ACT2 must not be late.
        if (act2_bank_ >= 0 && act2_deadline_ <= now + 1) {
            issue_act2(now);
            return true;
        }
        record(Command::sync, best.bank, now);
        row_bus_free_ = now + spec_.bus_ticks[index(Command::sync)];
        synced_ = best;
        return true;
    }
    issue(best, now);
    return true;
}

bool Controller::column_bus(Cycle now) {
    if (bus_busy(column_bus_free_, now)) return false;
    Choice best;
    consider_opened(now, best);
    if (!best.found()) consider_columns(current_queue(), now, best);
    if (!best.found()) return false;
    issue(best, now);
    return true;
}

bool Controller::row_bus(Cycle now) {
    if (bus_busy(row_bus_free_, now)) return false;
    Choice best;
    consider_refresh(now, best);
    if (!best.found()) consider_rows(current_queue(), now, best);
    if (!best.found()) return false;
    issue(best, now);
    return true;
}

}  // namespace memside::dram
