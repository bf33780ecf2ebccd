#include "pim/host_queue.h"

#include <cassert>

namespace memside::pim {

HostRequest HostQueue::List::take(std::uint32_t index) {
    const HostRequest taken = items[index];
    std::move(items.begin() + index + 1, items.begin() + count, items.begin() + index);
    --count;
    return taken;
}

void HostQueue::advance(const RunContext& context, ChannelState& state, Time time) {
    while (size_ > 0 && step(context, state, time - 1)) {
    }
    now_ = std::max(now_, time);
}

Time HostQueue::drain(const RunContext& context, ChannelState& state, Time time) {
    if (size_ == 0) return time;
    while (size_ > 0) step(context, state, never);
    return std::max(time, now_);
}

Time HostQueue::enter(const RunContext& context, ChannelState& state, HostRequest request,
                      Time time) {
    advance(context, state, time);
    List& list = request.write ? writes_ : reads_;
    while (list.count == capacity) step(context, state, never);
    time = std::max(time, now_);
    request.order = entered_++;
    const List& others = request.write ? reads_ : writes_;
    for (const List* earlier : {&others, static_cast<const List*>(&active_)}) {
        for (const HostRequest& other : *earlier) {
            request.waits_for += other.write != request.write && other.same_place(request);
        }
    }
    list.push(request);
    if (size_++ == 0) present_ = time;
    now_ = time;
    return time;
}

// Issues one command that goes in cycle `limit` or before; false: there is none.
bool HostQueue::step(const RunContext& context, ChannelState& state, Time limit) {
    if (now_ > limit) return false;  // these requests were never together in a cycle
    const Choice active = choose(active_, state);
    Choice chosen = choose(list_to_serve(), state);
    // A row that was opened is used before anything else, and before a refresh.
    if (active.time <= chosen.time) chosen = active;
    if (chosen.list != &active_ && chosen.time >= state.refresh_due()) {
        if (active_.count == 0) {
            const bool issued = state.refresh(context, present_, limit);
            if (issued) now_ = std::max(now_, state.last_issue() + 1);
            return issued;
        }
        chosen = active;
    }
    if (chosen.time > limit) return false;
    serve(context, state, chosen);
    return true;
}

// The request of `list` whose next command is ready first, the oldest of several.
HostQueue::Choice HostQueue::choose(List& list, const ChannelState& state) const {
    Choice best;
    for (std::uint32_t i = 0; i < list.count; ++i) {
        const HostRequest& request = list.items[i];
        if (request.waits_for > 0) continue;
        const Command command = state.next_for(request.command(), request.bank, request.row);
        if (command == Command::pre && &list != &active_ && bank_active(request.bank)) continue;
        const Time time = std::max(now_, state.ready(command, request.bank));
        if (time < best.time) best = {&list, i, command, time};
    }
    return best;
}

// Writes are served when they are many or nothing else waits, until they are few and reads wait.
HostQueue::List& HostQueue::list_to_serve() {
    // Shares 0.8 and 0.2 of the write queue, of the public simulator.
    const bool many = 10 * writes_.count > 8 * capacity;
    const bool few = 10 * writes_.count < 2 * capacity;
    if (!write_mode_) {
        write_mode_ = many || reads_.count == 0;
    } else if (few && reads_.count > 0) {
        write_mode_ = false;
    }
    List& chosen = write_mode_ ? writes_ : reads_;
    const bool may_go =
        std::any_of(chosen.begin(), chosen.end(), [](const auto& r) { return r.waits_for == 0; });
    if (may_go) return chosen;
    return write_mode_ ? reads_ : writes_;
}

void HostQueue::serve(const RunContext& context, ChannelState& state, const Choice& choice) {
    const HostRequest& request = choice.list->items[choice.index];
    const Step step{choice.command, request.bank, present_};
    now_ = choice.time + 1;
    if (state.register_mode()) return state.switch_mode(context, step, choice.time);
    state.issue(context, step, choice.time);
    if (choice.command == Command::act) {
        state.open_row(request.bank, request.row);
        active_banks_ |= 1u << request.bank;
        active_.push(choice.list->take(choice.index));
    } else if (choice.command == request.command()) {
        const HostRequest done = choice.list->take(choice.index);
        const Time completion = choice.time + context.table.completion(done.command());
        last_completion_ = std::max(last_completion_, completion);
        if (choice.list == &active_) active_banks_ &= ~(1u << done.bank);
        --size_;
        finish_request(done);
    }
}

void HostQueue::finish_request(const HostRequest& request) {
    for (List* list : {&reads_, &writes_}) {
        for (HostRequest& other : *list) {
            if (other.write != request.write && other.order > request.order &&
                other.same_place(request)) {
                --other.waits_for;
            }
        }
    }
}

}  // namespace memside::pim
