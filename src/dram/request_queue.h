// A controller's read or write queue. It keeps, per bank, the oldest request that hits the open row
// and the oldest that does not, because only these can be the next to be served.
#pragma once

#include <cstdint>
#include <vector>

#include "dram/command.h"
#include "dram/request.h"

namespace memside::dram {

// A set of banks, one bit each.
using BankSet = std::uint64_t;

struct QueuedRequest {
    Request request;
    Cycle accepted = 0;
    std::uint64_t order = 0;  // of acceptance, over both queues
    bool counted = false;     // as a row hit, miss or conflict
};

class RequestQueue {
  public:
    static constexpr std::uint64_t none = ~std::uint64_t{0};

    RequestQueue(int capacity, int banks);

    bool full() const { return size_ == capacity_; }
    bool empty() const { return size_ == 0; }
    int size() const { return size_; }
    int capacity() const { return capacity_; }

    // `open_row` is that of the request's bank, -1 when it is closed.
    void push(const QueuedRequest& entry, int open_row);

    // Banks with a request for the open row, and banks with a request for another row.
    BankSet hits() const { return hit_banks_; }
    BankSet others() const { return other_banks_; }
    // Acceptance order of the oldest of each; `none` where the bank has none.
    std::uint64_t oldest_hit(int bank) const { return heads_[at(bank)].hit_order; }
    std::uint64_t oldest_other(int bank) const { return heads_[at(bank)].other_order; }
    QueuedRequest& hit(int bank) { return slots_[heads_[at(bank)].hit].entry; }
    QueuedRequest& other(int bank) { return slots_[heads_[at(bank)].other].entry; }

    QueuedRequest pop_hit(int bank, int open_row);
    QueuedRequest pop_other(int bank, int open_row);
    // The bank's open row has changed.
    void row_changed(int bank, int open_row);

    // Whether a request for this very burst waits here.
    bool holds(const Request& request) const;

  private:
    using SlotIndex = std::uint16_t;
    static constexpr SlotIndex nil = 0xffff;

    struct Slot {
        QueuedRequest entry;
        SlotIndex next = nil;  // in the bank, by age; or in the free list
        SlotIndex previous = nil;
    };
    struct Heads {
        SlotIndex first = nil;
        SlotIndex last = nil;
        SlotIndex hit = nil;
        SlotIndex other = nil;
        std::uint64_t hit_order = none;
        std::uint64_t other_order = none;
    };
    static std::size_t at(int bank) { return static_cast<std::size_t>(bank); }

    QueuedRequest remove(int bank, SlotIndex slot);
    SlotIndex find(SlotIndex from, int open_row, bool hit) const;
    void set_hit(int bank, SlotIndex slot);
    void set_other(int bank, SlotIndex slot);

    int capacity_;
    int size_ = 0;
    std::vector<Slot> slots_;
    SlotIndex free_ = nil;
    std::vector<Heads> heads_;
    BankSet hit_banks_ = 0;
    BankSet other_banks_ = 0;
};

}  // namespace memside::dram
