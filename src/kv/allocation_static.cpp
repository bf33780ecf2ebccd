// Static reservation: the memory is cut into slots for the longest context, one per request. Simple
// for a device whose programs hold fixed addresses, and wasteful while requests are short.
#include <cassert>

#include "kv/allocation.h"

namespace memside::kv {
namespace {

class StaticAllocator final : public KvAllocator {
  public:
    explicit StaticAllocator(const AllocationOptions& options)
        : capacity_bytes_(options.capacity_bytes), slot_bytes_(options.max_request_bytes) {}

    bool admit(RequestId request, std::int64_t bytes) override {
        assert(bytes >= 0 && !table_.contains(request));
        if (bytes > slot_bytes_) return false;
        std::int64_t slot = 0;
        if (!free_slots_.empty()) {
            slot = free_slots_.back();
            free_slots_.pop_back();
        } else if (used_slots_ < capacity_bytes_ / slot_bytes_) {
            slot = used_slots_++;
        } else {
            return false;
        }
        table_[request] = {slot, bytes};
        live_bytes_ += bytes;
        return true;
    }

    bool grow(RequestId request, std::int64_t bytes) override {
        Slot& slot = table_.at(request);
        assert(bytes >= slot.live_bytes);
        if (bytes > slot_bytes_) return false;
        live_bytes_ += bytes - slot.live_bytes;
        slot.live_bytes = bytes;
        return true;
    }

    void release(RequestId request) override {
        const Slot& slot = table_.at(request);
        live_bytes_ -= slot.live_bytes;
        free_slots_.push_back(slot.index);
        table_.erase(request);
    }

    std::vector<Extent> extents(RequestId request) const override {
        const Slot& slot = table_.at(request);
        if (slot.live_bytes == 0) return {};
        return {{slot.index * slot_bytes_, slot.live_bytes}};
    }

    std::int64_t address(RequestId request, std::int64_t offset_bytes) const override {
        const Slot& slot = table_.at(request);
        assert(offset_bytes >= 0 && offset_bytes < slot.live_bytes);
        return slot.index * slot_bytes_ + offset_bytes;
    }

    std::int64_t capacity_bytes() const override { return capacity_bytes_; }
    std::int64_t reserved_bytes() const override { return requests() * slot_bytes_; }
    std::int64_t live_bytes() const override { return live_bytes_; }
    std::int64_t requests() const override { return static_cast<std::int64_t>(table_.size()); }

  private:
    struct Slot {
        std::int64_t index = 0;
        std::int64_t live_bytes = 0;
    };

    std::int64_t capacity_bytes_;
    std::int64_t slot_bytes_;
    std::int64_t live_bytes_ = 0;
    std::int64_t used_slots_ = 0;           // slots handed out at least once: 0 to used_slots_ - 1
    std::vector<std::int64_t> free_slots_;  // of those, the ones given back; the last goes first
    std::map<RequestId, Slot> table_;
};

}  // namespace

std::unique_ptr<KvAllocator> make_static_allocator(const AllocationOptions& options) {
    return std::make_unique<StaticAllocator>(options);
}

}  // namespace memside::kv
