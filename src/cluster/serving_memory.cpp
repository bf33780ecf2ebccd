#include "cluster/serving_memory.h"

#include <algorithm>
#include <cassert>
#include <map>

namespace memside {
namespace {

class SharedMemory final : public ServingMemory {
  public:
    explicit SharedMemory(std::vector<MemoryPool> pools) : pools_(std::move(pools)) {}

    bool admit(kv::RequestId request, std::int64_t tokens) override {
        for (std::size_t p = 0; p < pools_.size(); ++p) {
            if (pools_[p].allocator->admit(request, pools_[p].bytes(tokens))) continue;
            while (p-- > 0) pools_[p].allocator->release(request);
            return false;
        }
        return true;
    }

    bool grow(kv::RequestId request, std::int64_t tokens) override {
        // Room that an earlier pool gave stays with the request, which asks again or leaves.
        return std::all_of(pools_.begin(), pools_.end(), [&](const MemoryPool& pool) {
            return pool.allocator->grow(request, pool.bytes(tokens));
        });
    }

    void release(kv::RequestId request) override {
        for (const MemoryPool& pool : pools_) pool.allocator->release(request);
    }

  private:
    std::vector<MemoryPool> pools_;
};

class PlacedMemory final : public ServingMemory {
  public:
    PlacedMemory(std::vector<MemoryPool> pools, Placement placement)
        : pools_(std::move(pools)), placement_(placement) {
        assert(!pools_.empty());
    }

    bool admit(kv::RequestId request, std::int64_t tokens) override {
        const std::size_t device = next_device();
        if (!put(request, tokens, device)) return false;
        next_ = (device + 1) % pools_.size();
        arrived_.push_back({request, tokens});
        return true;
    }

    void settle() override {
        std::vector<Arrived> arrived = std::move(arrived_);
        arrived_.clear();
        if (placement_ != Placement::lpt || arrived.size() < 2) return;
        std::map<kv::RequestId, std::size_t> before;
        for (const Arrived& one : arrived) before[one.request] = device_.at(one.request);
        take_out(arrived, arrived.size());
        std::stable_sort(arrived.begin(), arrived.end(),
                         [](const Arrived& a, const Arrived& b) { return a.tokens > b.tokens; });
        for (std::size_t i = 0; i < arrived.size(); ++i) {
            if (put(arrived[i].request, arrived[i].tokens, least_loaded())) continue;
            // As they came they did fit.
            take_out(arrived, i);
            for (const Arrived& one : arrived) {
                [[maybe_unused]] const bool fits =
                    put(one.request, one.tokens, before.at(one.request));
                assert(fits);
            }
            return;
        }
    }

    bool grow(kv::RequestId request, std::int64_t tokens) override {
        const MemoryPool& pool = pools_[device_.at(request)];
        return pool.allocator->grow(request, pool.bytes(tokens));
    }

    void release(kv::RequestId request) override {
        pools_[device_.at(request)].allocator->release(request);
        device_.erase(request);
        std::erase_if(arrived_, [&](const Arrived& one) { return one.request == request; });
    }

    std::size_t device_of(kv::RequestId request) const override { return device_.at(request); }

    double load_imbalance() const override {
        double fullest = 0.0;
        double sum = 0.0;
        for (const MemoryPool& pool : pools_) {
            const auto bytes = static_cast<double>(pool.allocator->live_bytes());
            fullest = std::max(fullest, bytes);
            sum += bytes;
        }
        return sum > 0.0 ? fullest * static_cast<double>(pools_.size()) / sum : 1.0;
    }

  private:
    struct Arrived {
        kv::RequestId request = 0;
        std::int64_t tokens = 0;
    };

    std::size_t next_device() const {
        return placement_ == Placement::round_robin ? next_ : least_loaded();
    }

    // Of equal ones the first.
    std::size_t least_loaded() const {
        const auto least = std::min_element(
            pools_.begin(), pools_.end(), [](const MemoryPool& a, const MemoryPool& b) {
                return a.allocator->live_bytes() < b.allocator->live_bytes();
            });
        return static_cast<std::size_t>(least - pools_.begin());
    }

    bool put(kv::RequestId request, std::int64_t tokens, std::size_t device) {
        const MemoryPool& pool = pools_[device];
        if (!pool.allocator->admit(request, pool.bytes(tokens))) return false;
        device_[request] = device;
        return true;
    }

    void take_out(const std::vector<Arrived>& arrived, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            pools_[device_.at(arrived[i].request)].allocator->release(arrived[i].request);
            device_.erase(arrived[i].request);
        }
    }

    std::vector<MemoryPool> pools_;
    Placement placement_;
    std::map<kv::RequestId, std::size_t> device_;
    std::vector<Arrived> arrived_;  // at this instant
    std::size_t next_ = 0;          // of round robin
};

}  // namespace

std::unique_ptr<ServingMemory> make_shared_memory(std::vector<MemoryPool> pools) {
    return std::make_unique<SharedMemory>(std::move(pools));
}

std::unique_ptr<ServingMemory> make_placed_memory(std::vector<MemoryPool> pools,
                                                  Placement placement) {
    return std::make_unique<PlacedMemory>(std::move(pools), placement);
}

}  // namespace memside
