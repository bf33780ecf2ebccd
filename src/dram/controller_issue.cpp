// What issuing a command changes.
#include <bit>

#include "dram/controller_core.h"

namespace memside::dram {

void Controller::record(Command command, int bank, Cycle now, int row) {
    ++stats_.commands[index(command)];
    if (options_.log != nullptr) options_.log->push_back({now, command, bank, row});
}

void Controller::count(QueuedRequest& entry, std::int64_t& outcome) {
    if (!entry.counted) ++outcome;
    entry.counted = true;
}

void Controller::set_row(int bank, int row) {
    open_row_[at(bank)] = row;
    open_banks_ = row < 0 ? open_banks_ & ~bit(bank) : open_banks_ | bit(bank);
    reads_.row_changed(bank, row);
    writes_.row_changed(bank, row);
}

void Controller::issue(const Choice& choice, Cycle now) {
    Cycle& bus =
        spec_.separate_column_bus && is_column(choice.command) ? column_bus_free_ : row_bus_free_;
    bus = now + spec_.bus_ticks[index(choice.command)];
    if (is_column(choice.command)) {
        issue_column(choice, now);
    } else if (choice.refresh_scope >= 0) {
        issue_refresh(choice, now);
    } else if (choice.command == Command::act) {
        issue_act(choice, now);
    } else {
        record(choice.command, choice.bank, now);
        timing_.issue(choice.command, choice.bank, now);
        count(choice.queue->other(choice.bank), stats_.row_conflicts);
        set_row(choice.bank, -1);
    }
}

void Controller::issue_act(const Choice& choice, Cycle now) {
    const int bank = choice.bank;
    QueuedRequest entry = choice.queue->pop_other(bank, open_row_[at(bank)]);
    count(entry, stats_.row_misses);
    record(Command::act, bank, now, entry.request.row);
    timing_.issue(Command::act, bank, now);
    opened_[at(bank)] = entry;
    opened_banks_ |= bit(bank);
    set_row(bank, entry.request.row);
    if (spec_.act2_within > 0) {
        act2_bank_ = bank;
        act2_deadline_ = now + spec_.act2_within;
    }
}

void Controller::issue_act2(Cycle now) {
    record(Command::act2, act2_bank_, now);
    row_bus_free_ = now + spec_.bus_ticks[index(Command::act2)];
    act2_bank_ = -1;
}

void Controller::issue_column(const Choice& choice, Cycle now) {
    const int bank = choice.bank;
    record(choice.command, bank, now);
    timing_.issue(choice.command, bank, now);
    QueuedRequest entry;
    if (choice.queue == nullptr) {
        entry = opened_[at(bank)];
        opened_banks_ &= ~bit(bank);
    } else {
        entry = choice.queue->pop_hit(bank, open_row_[at(bank)]);
        count(entry, stats_.row_hits);
    }
    sync_until_ = now + spec_.sync_lasts;
    const bool write = choice.command == Command::wr;
    const Cycle end = now + (write ? spec_.write_latency : spec_.read_latency);
    stats_.end = std::max(stats_.end, end);
    if (write) {
        ++stats_.writes;
    } else {
        ++stats_.reads;
        stats_.read_latency_sum += end - entry.accepted;
        stats_.read_latency_max = std::max(stats_.read_latency_max, end - entry.accepted);
    }
    last_column_ = now;
    served(now);
}

void Controller::issue_refresh(const Choice& choice, Cycle now) {
    record(choice.command, choice.bank, now);
    const BankSet targets = refresh_.targets(choice.refresh_scope);
    switch (choice.command) {
        case Command::prea:
            timing_.issue(Command::prea, choice.bank, now);
            for (BankSet banks = open_banks_ & targets; banks != 0; banks &= banks - 1) {
                set_row(std::countr_zero(banks), -1);
            }
            return;
        case Command::pre:
            timing_.issue(Command::pre, choice.bank, now);
            set_row(choice.bank, -1);
            return;
        case Command::refab:
            timing_.issue(Command::refab, choice.bank, now);
            break;
        default:
            for (BankSet banks = targets; banks != 0; banks &= banks - 1) {
                timing_.issue(Command::refpb, std::countr_zero(banks), now);
            }
            break;
    }
    refresh_.done(choice.refresh_scope);
}

}  // namespace memside::dram
