#include "dram/request_queue.h"

#include <cassert>

namespace memside::dram {

RequestQueue::RequestQueue(int capacity, int banks)
    : capacity_(capacity),
      slots_(static_cast<std::size_t>(capacity)),
      heads_(static_cast<std::size_t>(banks)) {
    assert(capacity > 0 && capacity < nil);
    for (std::size_t i = slots_.size(); i-- > 0;) {
        slots_[i].next = free_;
        free_ = static_cast<SlotIndex>(i);
    }
}

void RequestQueue::set_hit(int bank, SlotIndex slot) {
    Heads& heads = heads_[at(bank)];
    heads.hit = slot;
    heads.hit_order = slot == nil ? none : slots_[slot].entry.order;
    const BankSet bit = BankSet{1} << bank;
    hit_banks_ = slot == nil ? hit_banks_ & ~bit : hit_banks_ | bit;
}

void RequestQueue::set_other(int bank, SlotIndex slot) {
    Heads& heads = heads_[at(bank)];
    heads.other = slot;
    heads.other_order = slot == nil ? none : slots_[slot].entry.order;
    const BankSet bit = BankSet{1} << bank;
    other_banks_ = slot == nil ? other_banks_ & ~bit : other_banks_ | bit;
}

void RequestQueue::push(const QueuedRequest& entry, int open_row) {
    assert(!full());
    const int bank = entry.request.bank;
    const SlotIndex slot = free_;
    free_ = slots_[slot].next;
    Heads& heads = heads_[at(bank)];
    slots_[slot] = {entry, nil, heads.last};
    if (heads.last == nil) {
        heads.first = slot;
    } else {
        slots_[heads.last].next = slot;
    }
    heads.last = slot;
    ++size_;
    if (entry.request.row == open_row) {
        if (heads.hit == nil) set_hit(bank, slot);
    } else if (heads.other == nil) {
        set_other(bank, slot);
    }
}

// The oldest request at or behind `from` that hits `open_row`, or that does not.
RequestQueue::SlotIndex RequestQueue::find(SlotIndex from, int open_row, bool hit) const {
    SlotIndex slot = from;
    while (slot != nil && (slots_[slot].entry.request.row == open_row) != hit) {
        slot = slots_[slot].next;
    }
    return slot;
}

QueuedRequest RequestQueue::remove(int bank, SlotIndex slot) {
    Heads& heads = heads_[at(bank)];
    Slot& removed = slots_[slot];
    (removed.previous == nil ? heads.first : slots_[removed.previous].next) = removed.next;
    (removed.next == nil ? heads.last : slots_[removed.next].previous) = removed.previous;
    removed.next = free_;
    free_ = slot;
    --size_;
    return removed.entry;
}

QueuedRequest RequestQueue::pop_hit(int bank, int open_row) {
    const SlotIndex slot = heads_[at(bank)].hit;
    const SlotIndex behind = slots_[slot].next;
    const QueuedRequest entry = remove(bank, slot);
    set_hit(bank, find(behind, open_row, true));
    return entry;
}

QueuedRequest RequestQueue::pop_other(int bank, int open_row) {
    const SlotIndex slot = heads_[at(bank)].other;
    const SlotIndex behind = slots_[slot].next;
    const QueuedRequest entry = remove(bank, slot);
    set_other(bank, find(behind, open_row, false));
    return entry;
}

void RequestQueue::row_changed(int bank, int open_row) {
    const SlotIndex first = heads_[at(bank)].first;
    if (first == nil) return;
    set_hit(bank, find(first, open_row, true));
    set_other(bank, find(first, open_row, false));
}

bool RequestQueue::holds(const Request& request) const {
    for (SlotIndex slot = heads_[at(request.bank)].first; slot != nil; slot = slots_[slot].next) {
        const Request& waiting = slots_[slot].entry.request;
        if (waiting.row == request.row && waiting.column == request.column) return true;
    }
    return false;
}

}  // namespace memside::dram
