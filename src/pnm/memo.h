// Results of a pure function, remembered; shared by threads.
#pragma once

#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace memside::pnm {

// `compute` must depend on the key alone: two threads that miss at once both compute, and either
// result stands. So what is returned does not depend on order or number of threads.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class Memo {
  public:
    template <typename Compute>
    Value get(const Key& key, const Compute& compute) const {
        {
            const std::shared_lock lock(mutex_);
            const auto found = values_.find(key);
            if (found != values_.end()) return found->second;
        }
        Value value = compute();
        const std::unique_lock lock(mutex_);
        return values_.try_emplace(key, std::move(value)).first->second;
    }

    std::size_t size() const {
        const std::shared_lock lock(mutex_);
        return values_.size();
    }

  private:
    mutable std::shared_mutex mutex_;
    mutable std::unordered_map<Key, Value, Hash> values_;
};

}  // namespace memside::pnm
