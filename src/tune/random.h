// A seeded stream of random numbers, the same with every C++ library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "kv/counter_random.h"

namespace memside::tune {

class Random {
  public:
    // `parts` tell streams of one seed apart; their order matters.
    explicit Random(std::initializer_list<std::uint64_t> parts) : key_(kv::key_of(parts)) {}

    std::uint64_t bits() { return kv::random_bits(key_, counter_++); }
    // Uniform in [0, count), count from 1 to 2^32.
    std::size_t below(std::size_t count) {
        return static_cast<std::size_t>(kv::uniform_below(bits(), count));
    }
    // Uniform in [0, 1).
    double uniform() { return kv::uniform(bits()); }

    template <typename T>
    void shuffle(std::vector<T>& items) {
        for (std::size_t left = items.size(); left > 1; --left) {
            std::swap(items[left - 1], items[below(left)]);
        }
    }

  private:
    std::uint64_t key_;
    std::uint64_t counter_ = 0;
};

// What a stream is for; the second part of its key.
enum class Stream : std::uint64_t { first_batch = 1, explorer = 2, measurement_order = 3 };

inline Random random_stream(std::uint64_t seed, Stream stream) {
    return Random({seed, static_cast<std::uint64_t>(stream)});
}

}  // namespace memside::tune
