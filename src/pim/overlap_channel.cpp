#include "pim/overlap_channel.h"

#include <cassert>

namespace memside::pim {
namespace {

using enum Command;

Side other(Side side) {
    return side == Side::transfer ? Side::compute : Side::transfer;
}

std::size_t index(Side side) {
    return static_cast<std::size_t>(side);
}

bool is_mac(Command command) {
    return command == mac16 || command == mac;
}

// Of these the HUB must know when they are done.
constexpr CommandSet gpr_commands = set_of(wrgb, wrmac16, rdmac16, rdaf16, rd, wr, wra16);

// GBuf's lower and upper entries; OBuf's even and odd ones with the activation unit's results.
std::size_t half_of(BufferEntry entry) {
    if (entry < obuf_entry(0)) return entry / (gbuf_entries / 2);
    return std::size_t{2} + entry % 2;
}

Cycle cycles_of(int cycles) {
    return static_cast<Cycle>(cycles);
}

}  // namespace

OverlapContext::OverlapContext(const Timing& run_timing, const SimulationOptions& options)
    : timing(run_timing),
      table(run_timing),
      halves(options.scheduler == Scheduler::ping_pong),
      handover(options.dcs_handover ? cycles_of(run_timing.nMODCH) : 0),
      refresh(options.refresh),
      record(options.record_trace) {
    for (std::size_t i = 0; i < command_count; ++i) {
        const Command column = static_cast<Command>(i);
        opening[i] = cycles_of(table.between(act, column, Scope::bank));
    }
}

Cycle OverlapContext::refresh_due(std::uint64_t count) const {
    if (refresh == RefreshMode::off) return no_cycle;
    const std::uint64_t share = refresh == RefreshMode::all_bank ? 1 : bank_count;
    return count * cycles_of(timing.nREFI) / share;
}

OverlapChannel::OverlapChannel(const OverlapContext& shared)
    : shared_(&shared), clock_(shared.table), refresh_due_(shared.refresh_due(1)) {
    for (Queue& queue : queues_) queue.ring.resize(128);
    if (!shared.halves) table_.resize(std::size_t{activation_entry(obuf_entries)});
}

void OverlapChannel::push(Side side, const ColumnWork& work) {
    Queue& q = queue(side);
    if (pending(side) == q.ring.size()) {
        std::vector<Queue::Item> wider(q.ring.size() * 2);
        for (std::uint64_t i = q.issued; i < q.pushed; ++i) {
            wider[i & (wider.size() - 1)] = q.ring[i & (q.ring.size() - 1)];
        }
        q.ring = std::move(wider);
    }
    Queue::Item& item = q.ring[q.pushed & (q.ring.size() - 1)];
    item.work = work;
    item.after = {};
    ++q.pushed;
    for (std::size_t slot = 0; slot < 2; ++slot) {
        const BufferEntry entry = work.entries[slot];
        if (entry == no_entry) continue;
        if (shared_->halves) {
            push_turn(entry, side, work.arrival);
        } else {
            item.after[slot] = table_[entry].last_pushed[index(other(side))];
            table_[entry].last_pushed[index(side)] = q.pushed;
        }
    }
}

void OverlapChannel::push_turn(BufferEntry entry, Side side, Cycle arrival) {
    std::deque<Turn>& turns = halves_[half_of(entry)].turns;
    if (!turns.empty() && turns.front().unissued == 0 && turns.front().side != side) {
        turns.pop_front();
    }
    if (turns.empty() || turns.back().side != side) turns.push_back({side, arrival, 0});
    ++turns.back().unissued;
}

Cycle OverlapChannel::entry_ready(Side side, const Queue::Item& item, std::size_t slot) const {
    const BufferEntry entry = item.work.entries[slot];
    if (entry == no_entry) return 0;
    if (shared_->halves) {
        const Half& half = halves_[half_of(entry)];
        return half.owner == side && half.turns.front().side == side ? half.usable : no_cycle;
    }
    if (queue(other(side)).issued < item.after[slot]) return no_cycle;
    const Entry& e = table_[entry];
    if (!e.touched || (e.is_mac && is_mac(item.work.command))) return 0;
    return e.completion + (e.side == side ? 0 : shared_->handover);
}

// What the head of a queue needs next: a row command, or itself.
OverlapChannel::Candidate OverlapChannel::head(Side side) const {
    Candidate best;
    const Queue& q = queue(side);
    if (q.empty()) return best;
    const Queue::Item& item = q.front();
    const ColumnWork& work = item.work;
    best.side = side;
    best.bank = work.bank;
    best.command = clock_.next(work.command, work.bank, work.row);
    best.column = best.command == work.command;
    Cycle ready = work.arrival;
    if (best.column) {
        ready = std::max({ready, entry_ready(side, item, 0), entry_ready(side, item, 1)});
        if (ready == no_cycle) return best;
    }
    best.cycle = std::max(ready, clock_.earliest(best.command, work.bank));
    return best;
}

// The half that can change hands first: its owner's turn is over and complete, and the other side
// waits for it.
OverlapChannel::Candidate OverlapChannel::handover() const {
    Candidate best;
    best.command = tmod;
    for (std::size_t i = 0; i < halves_.size(); ++i) {
        const Half& half = halves_[i];
        if (half.turns.empty() || half.turns.front().side == half.owner) continue;
        const Cycle cycle =
            std::max({half.completion, half.turns.front().arrival, clock_.last_issue() + 1});
        if (cycle >= best.cycle) continue;
        best.cycle = cycle;
        best.half = static_cast<std::uint8_t>(i);
    }
    return best;
}

// What the refresh that is due next needs: its banks precharged, then itself.
OverlapChannel::Candidate OverlapChannel::refresh_step() const {
    Candidate step;
    step.refresh = true;
    if (shared_->refresh == RefreshMode::all_bank) {
        step.command = clock_.any_open() ? prea : ref_all_bank;
    } else {
        step.bank = static_cast<std::uint8_t>(refreshes_ % bank_count);
        step.command = clock_.open(step.bank) ? pre : ref_per_bank;
    }
    step.cycle = std::max(refresh_due_, clock_.earliest(step.command, step.bank));
    return step;
}

bool OverlapChannel::step(Cycle horizon) {
    Candidate best = head(Side::compute);
    // A refresh that is due goes before all commands that use banks, but for the column command
    // whose row has just been opened.
    if (!activated_ && refresh_due_ <= best.cycle) best = refresh_step();
    if (shared_->halves) {
        const Candidate change = handover();
        if (change.cycle < best.cycle) best = change;
    }
    const Candidate transfer = head(Side::transfer);
    if (transfer.cycle < best.cycle) best = transfer;
    if (best.cycle >= horizon) return false;
    if (best.refresh) {
        issue_refresh(best);
    } else if (best.command == tmod) {
        issue_handover(best);
    } else {
        issue(best);
    }
    return true;
}

void OverlapChannel::issue_refresh(const Candidate& candidate) {
    ++commands_[static_cast<std::size_t>(candidate.command)];
    clock_.issue(candidate.command, candidate.bank, 0, candidate.cycle);
    Cycle busy = cycles_of(shared_->timing.nRP);
    if (activity_of(candidate.command) == Activity::refresh) {
        const bool all = candidate.command == ref_all_bank;
        busy = cycles_of(all ? shared_->timing.nRFCab : shared_->timing.nRFCpb);
        ++refreshes_;
        refresh_due_ = shared_->refresh_due(refreshes_ + 1);
    }
    meter_.add(Activity::refresh, candidate.cycle, candidate.cycle, candidate.cycle + busy);
    if (shared_->record) record(candidate, busy);
}

void OverlapChannel::issue_handover(const Candidate& candidate) {
    ++commands_[static_cast<std::size_t>(tmod)];
    const Cycle busy = cycles_of(shared_->timing.nMODCH);
    Half& half = halves_[candidate.half];
    half.owner = half.turns.front().side;
    half.usable = candidate.cycle + busy;
    clock_.take_bus(candidate.cycle);
    meter_.add(Activity::mode_switch, half.turns.front().arrival, candidate.cycle, half.usable);
    if (shared_->record) record(candidate, busy);
}

void OverlapChannel::issue(const Candidate& candidate) {
    const Timing& timing = shared_->timing;
    ++commands_[static_cast<std::size_t>(candidate.command)];
    const Queue::Item& item = queue(candidate.side).front();
    Cycle busy = cycles_of(timing.nCCDS);
    clock_.issue(candidate.command, candidate.bank, item.work.row, candidate.cycle);
    if (is_row_command(candidate.command)) {
        activated_ = candidate.command == act || candidate.command == act16;
        busy = activated_ ? shared_->opening[static_cast<std::size_t>(item.work.command)]
                          : cycles_of(timing.nRP);
    } else if (candidate.side == Side::transfer) {
        // What waits for the entry waits for completion.
        busy = std::max(busy, cycles_of(shared_->table.completion(candidate.command)));
    }
    meter_.add(activity_of(candidate.command), item.work.arrival, candidate.cycle,
               candidate.cycle + busy);
    if (shared_->record) record(candidate, busy);
    if (candidate.column) issue_column(candidate, item);
}

void OverlapChannel::issue_column(const Candidate& candidate, const Queue::Item& item) {
    const Cycle completion =
        candidate.cycle + cycles_of(shared_->table.completion(candidate.command));
    completed_ = std::max(completed_, completion);
    for (const BufferEntry entry : item.work.entries) {
        if (entry == no_entry) continue;
        if (shared_->halves) {
            Half& half = halves_[half_of(entry)];
            half.completion = std::max(half.completion, completion);
            if (--half.turns.front().unissued == 0 && half.turns.size() > 1) half.turns.pop_front();
            continue;
        }
        Entry& e = table_[entry];
        e.completion = completion;
        e.side = candidate.side;
        e.touched = true;
        e.is_mac = is_mac(candidate.command);
    }
    if (item.work.last && contains(gpr_commands, candidate.command)) {
        completions_.emplace_back(item.work.instruction, completion);
    }
    if (candidate.side == Side::compute) activated_ = false;
    ++queue(candidate.side).issued;
}

void OverlapChannel::record(const Candidate& candidate, Cycle busy_cycles) {
    IssuedCommand issued;
    issued.cycle = candidate.cycle;
    issued.busy_cycles = busy_cycles;
    issued.command = candidate.command;
    issued.side = candidate.side;
    issued.column = candidate.column;
    issued.refresh = candidate.refresh;
    if (!candidate.refresh && candidate.command != tmod) {
        const ColumnWork& work = queue(candidate.side).front().work;
        issued.instruction = work.instruction;
        issued.offset = work.offset;
    }
    log_.push_back(issued);
}

Cycle OverlapChannel::run_until_fits(Side side, std::uint64_t count) {
    if (pending(side) <= count) return 0;
    while (pending(side) > count) step(no_cycle);
    return clock_.last_issue() + 1;
}

void OverlapChannel::run_past(Side side, std::uint64_t instruction) {
    while (!left(side, instruction)) step(no_cycle);
}

Cycle OverlapChannel::drain() {
    while (!queues_[0].empty() || !queues_[1].empty()) step(no_cycle);
    return completed_;
}

void OverlapChannel::run_before(Cycle horizon) {
    while (step(horizon)) {
    }
}

bool OverlapChannel::left(Side side, std::uint64_t instruction) const {
    const Queue& q = queue(side);
    return q.empty() || q.front().work.instruction > instruction;
}

Cycle OverlapChannel::completed_at(std::uint64_t instruction) const {
    for (auto it = completions_.rbegin(); it != completions_.rend(); ++it) {
        if (it->first == instruction) return it->second;
    }
    return 0;
}

void OverlapChannel::forget_before(std::uint64_t instruction) {
    std::erase_if(completions_, [=](const auto& c) { return c.first < instruction; });
}

ChannelResult OverlapChannel::finish(Cycle end) {
    run_before(end + 1);
    ChannelResult result;
    result.commands = commands_;
    // Cycle 1 is the first and `end` the last.
    result.activity_cycles = meter_.finish(end + 1);
    return result;
}

}  // namespace memside::pim
