#include "pim/tick_channel.h"

#include <algorithm>

namespace memside::pim::ticking {
namespace {

using enum Command;

constexpr std::size_t queue_capacity = 33;
constexpr std::int64_t closed = -1;

Activity activity_of(Command command) {
    switch (command) {
        case mac:
        case mac16:
            return Activity::mac;
        case af16:
        case ewmul16:
            return Activity::other_compute;
        case wrgb:
        case rdcp:
        case wrcp:
            return Activity::gbuf_transfer;
        case rdmac16:
        case rdaf16:
        case wrmac16:
            return Activity::output_transfer;
        case rd:
        case wr:
        case wra16:
            return Activity::bank_transfer;
        case tmod:
            return Activity::mode_switch;
        case ref_all_bank:
        case ref_per_bank:
            return Activity::refresh;
        default:
            return Activity::row;
    }
}

}  // namespace

TickChannel::TickChannel(RefreshMode mode, const TickRefresh& refresh, const SpacingTable& spacings)
    : spacings_(&spacings), refresh_mode_(mode), refresh_(refresh) {
    open_row_.fill(closed);
    note_refresh_issued();
}

bool TickChannel::accepts(const TickRequest& request) const {
    if (!request.host) {
        return reads_.empty() && writes_.empty() && active_.empty() && aim_.size() < queue_capacity;
    }
    const auto& queue = request.command == rd ? reads_ : writes_;
    return aim_.empty() && queue.size() < queue_capacity;
}

void TickChannel::enter(TickRequest request) {
    result_.addressed = result_.addressed || !request.barrier;
    request.order = entered_++;
    if (!request.host) {
        aim_.push_back(request);
    } else {
        (request.command == rd ? reads_ : writes_).push_back(request);
    }
}

bool TickChannel::tick(std::int64_t now) {
    bool answered = false;
    if (answer_at_ >= 0 && answer_at_ <= now) {
        answered = true;
        answer_at_ = -1;
    }
    std::erase_if(pending_, [now](std::int64_t done) { return done <= now; });
    if (!aim_.empty() && aim_.front().barrier && pending_.empty()) {
        aim_.pop_front();
        answer_at_ = now + 1;
    }
    if (!issue(now)) count_idle_cycle(now);
    return answered;
}

bool TickChannel::issue(std::int64_t now) {
    const bool host_waits = !reads_.empty() || !writes_.empty() || !active_.empty();
    if (host_waits) choose_write_mode();
    if (refresh_due(now) && !row_in_use()) return issue_refresh(now);
    if (host_waits) return issue_host(now);
    if (aim_.empty() || aim_.front().barrier) return false;
    bool column_issued = false;
    const bool issued = issue_next(aim_.front(), now, column_issued);
    if (column_issued) aim_.pop_front();
    return issued;
}

bool TickChannel::issue_refresh(std::int64_t now) {
    Next next{ref_all_bank, 0};
    if (refresh_mode_ == RefreshMode::all_bank) {
        const bool any_open = std::any_of(open_row_.begin(), open_row_.end(),
                                          [](std::int64_t row) { return row != closed; });
        if (any_open) next = {prea, 0};
    } else {
        next.bank = static_cast<unsigned>((refreshes_ - 1) % bank_count);
        next.command = open_row_[next.bank] != closed ? pre : ref_per_bank;
    }
    if (!ready(next, now)) return false;
    send(next.command, next.bank, now, next.command, true);
    if (!is_row_command(next.command)) note_refresh_issued();
    return true;
}

bool TickChannel::issue_host(std::int64_t now) {
    for (std::size_t i = 0; i < active_.size(); ++i) {
        bool column_issued = false;
        if (!issue_next(active_[i], now, column_issued)) continue;
        if (column_issued) active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
        return true;
    }
    if (refresh_due(now)) return false;
    const auto may_go = [this](const TickRequest& r) { return !must_wait_for_another(r); };
    auto* chosen = write_mode_ ? &writes_ : &reads_;
    auto* other = write_mode_ ? &reads_ : &writes_;
    if (std::none_of(chosen->begin(), chosen->end(), may_go)) chosen = other;
    return issue_from(*chosen, now);
}

bool TickChannel::issue_from(std::vector<TickRequest>& queue, std::int64_t now) {
    for (std::size_t i = 0; i < queue.size(); ++i) {
        TickRequest& request = queue[i];
        if (must_wait_for_another(request)) continue;
        const bool bank_active =
            std::any_of(active_.begin(), active_.end(),
                        [&](const TickRequest& a) { return a.bank == request.bank; });
        if (next_of(request).command == pre && bank_active) continue;
        bool column_issued = false;
        if (!issue_next(request, now, column_issued)) continue;
        if (request.activated) active_.push_back(request);
        if (column_issued || request.activated) {
            queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
        }
        return true;
    }
    return false;
}

// Issues the command that is next for the request, or TMOD in its place, if it is ready.
bool TickChannel::issue_next(TickRequest& request, std::int64_t now, bool& column_issued) {
    const Next next = next_of(request);
    if (!ready(next, now)) return false;
    if (request.register_mode != register_mode_) {
        send(tmod, 0, now, next.command);
        return true;
    }
    send(next.command, next.bank, now, next.command);
    if (next.command == act) open_row_[next.bank] = request.row;
    if (next.command == act16) open_row_.fill(request.row);
    if (next.command == act || next.command == act16) request.activated = true;
    if (next.command != request.command) return true;
    column_issued = true;
    request.activated = false;
    if (request.blocking) {
        answer_at_ = now + completion(request.command);
    } else {
        pending_.push_back(now + completion(request.command));
    }
    return true;
}

void TickChannel::send(Command command, unsigned bank, std::int64_t now, Command replaced,
                       bool for_refresh) {
    ++result_.commands[static_cast<std::size_t>(command)];
    const bool row_bound = is_row_command(issued_) || is_row_command(replaced);
    const Activity charged = for_refresh ? Activity::refresh
                             : row_bound ? Activity::row
                                         : activity_of(replaced);
    result_.activity_cycles[static_cast<std::size_t>(charged)] += held_;
    held_ = 0;
    issued_ = command;
    issued_at_ = now;
    issued_activity_ = for_refresh ? Activity::refresh : activity_of(command);
    issued_lasts_ = is_row_command(command)   ? 1
                    : command == tmod         ? 32
                    : command == ref_all_bank ? refresh_.all_bank
                    : command == ref_per_bank ? refresh_.per_bank
                                              : 2;
    ++result_.activity_cycles[static_cast<std::size_t>(issued_activity_)];

    const auto& spacings = spacings_->cycles[static_cast<std::size_t>(command)];
    for (std::size_t n = 0; n < command_count; ++n) {
        const bool by_bank = is_single_bank(static_cast<Command>(n));
        for (unsigned b = 0; b < (by_bank ? bank_count : 1); ++b) {
            Relation relation = Relation::same_bank;
            if (by_bank && b != bank && is_single_bank(command)) {
                relation = b / banks_per_group == bank / banks_per_group ? Relation::same_group
                                                                         : Relation::other_group;
            }
            const std::int64_t time = now + spacings[static_cast<std::size_t>(relation)][n];
            earliest_[n][b] = std::max(earliest_[n][b], time);
        }
    }
    if (command == tmod) register_mode_ = !register_mode_;
    if (command == prea || command == wra16) open_row_.fill(closed);
    if (command == pre) open_row_[bank] = closed;
}

TickChannel::Next TickChannel::next_of(const TickRequest& request) const {
    if (!request.needs_row) return {request.command, request.bank};
    const std::int64_t row = request.row;
    if (is_single_bank(request.command)) {
        const std::int64_t open = open_row_[request.bank];
        return {open == row ? request.command : open == closed ? act : pre, request.bank};
    }
    bool all_open = true;
    for (const std::int64_t open : open_row_) {
        if (open != closed && open != row) return {prea, 0};
        all_open = all_open && open == row;
    }
    return {all_open ? request.command : act16, 0};
}

bool TickChannel::ready(Next next, std::int64_t now) const {
    const unsigned bank = is_single_bank(next.command) ? next.bank : 0;
    return earliest_[static_cast<std::size_t>(next.command)][bank] <= now;
}

// A read and a write of one place keep their order.
bool TickChannel::must_wait_for_another(const TickRequest& request) const {
    const auto earlier = [&](const TickRequest& other) {
        return other.command != request.command && other.order < request.order &&
               other.bank == request.bank && other.row == request.row &&
               other.column == request.column;
    };
    return std::any_of(reads_.begin(), reads_.end(), earlier) ||
           std::any_of(writes_.begin(), writes_.end(), earlier) ||
           std::any_of(active_.begin(), active_.end(), earlier);
}

bool TickChannel::row_in_use() const {
    return !active_.empty() || (!aim_.empty() && aim_.front().activated);
}

void TickChannel::choose_write_mode() {
    const auto waiting = static_cast<double>(writes_.size());
    const auto full = static_cast<double>(queue_capacity);
    if (!write_mode_) {
        write_mode_ = waiting > 0.8 * full || reads_.empty();
    } else if (waiting < 0.2 * full && !reads_.empty()) {
        write_mode_ = false;
    }
}

bool TickChannel::refresh_due(std::int64_t now) const {
    return refresh_mode_ != RefreshMode::off && next_due_ <= now;
}

void TickChannel::note_refresh_issued() {
    ++refreshes_;
    const std::int64_t share = refresh_mode_ == RefreshMode::all_bank ? 1 : bank_count;
    next_due_ = refreshes_ * refresh_.interval / share;
}

void TickChannel::count_idle_cycle(std::int64_t now) {
    const bool request_there = !reads_.empty() || !writes_.empty() || !active_.empty() ||
                               (!aim_.empty() && !aim_.front().barrier);
    if (now < issued_at_ + issued_lasts_) {
        ++result_.activity_cycles[static_cast<std::size_t>(issued_activity_)];
    } else if (request_there || refresh_due(now)) {
        ++held_;
    } else {
        ++result_.activity_cycles[static_cast<std::size_t>(Activity::waiting)];
    }
}

void TickChannel::finish() {
    result_.activity_cycles[static_cast<std::size_t>(Activity::refresh)] += held_;
    held_ = 0;
}

}  // namespace memside::pim::ticking
