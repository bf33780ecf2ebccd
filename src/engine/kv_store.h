// Keys and values of one sequence, in pages of consecutive tokens per layer and KV head. A page is
// one contiguous piece, keys before values, so that attending one is reading 16 to 64 KiB in order:
//   keys    f16 [head_dim][page_tokens]       dimension-major: a vector of tokens per dimension
//   values  f16 [page_tokens][value_stride]   token-major
// Pages of a layer lie in page order, within a page in the order of KV heads.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "engine/huge_memory.h"
#include "engine/thread_pool.h"

namespace memside::engine {

// The widest vector of tokens or dimensions that a kernel takes, in values.
inline constexpr std::int64_t kv_lanes = 16;
// Page sizes that the kernels take: powers of two in this range.
inline constexpr std::int64_t min_page_tokens = kv_lanes;
inline constexpr std::int64_t max_page_tokens = 4096;

struct KvShape {
    int kv_heads = 0;
    int head_dim = 0;
    std::int64_t page_tokens = 64;
    std::int64_t capacity_tokens = 0;
    // Per layer: how many tokens it keeps; 0: all. A layer that keeps fewer writes over the oldest.
    std::vector<std::int64_t> kept_tokens;

    std::int64_t value_stride() const { return (head_dim + kv_lanes - 1) / kv_lanes * kv_lanes; }
    std::int64_t key_values() const { return head_dim * page_tokens; }
    // f16 values of a page, padded to a cache line.
    std::int64_t page_values() const {
        return (key_values() + page_tokens * value_stride() + 31) / 32 * 32;
    }
    std::int64_t page_bytes() const { return page_values() * 2; }
};

struct KvPage {
    const std::uint16_t* keys = nullptr;    // [head_dim][page_tokens]
    const std::uint16_t* values = nullptr;  // [page_tokens][value_stride]
};

class KvStore {
  public:
    // Reserves address space for the whole capacity; memory is taken as tokens come. infeasible
    // when the machine has not that much.
    static Result<KvStore> make(KvShape shape);

    // Writes the keys and values of the token at `position`, f32 [kv_heads x head_dim] each,
    // rounded to f16. Different positions of a layer may be written by different threads.
    void write(int layer, std::int64_t position, const float* keys, const float* values);

    KvPage page(int layer, std::int64_t page, int kv_head) const {
        const std::uint16_t* at = start(layer, page) + kv_head * shape_.page_values();
        return {at, at + shape_.key_values()};
    }

    // The same page as the bytes that hold it, page_bytes() of the shape: copying them copies it.
    // The pieces of a page's KV heads lie side by side.
    const std::byte* piece(int layer, std::int64_t page, int kv_head) const {
        return reinterpret_cast<const std::byte*>(start(layer, page) +
                                                  kv_head * shape_.page_values());
    }
    // A page in such bytes, here or in a copy.
    KvPage view(const std::byte* piece) const {
        const auto* at = reinterpret_cast<const std::uint16_t*>(piece);
        return {at, at + shape_.key_values()};
    }

    // Fills the first `tokens` tokens of all layers, whole pages, with values of 0.25 to 0.5 and
    // random signs: for measuring, at the speed of memory.
    void fill_random(std::int64_t tokens, std::uint64_t seed, ThreadPool& pool);

    const KvShape& shape() const { return shape_; }

    // Bytes that `tokens` tokens of all layers occupy, in whole pages.
    std::int64_t bytes_of(std::int64_t tokens) const;

  private:
    // Pages of a layer that have a place of their own.
    std::int64_t places(std::size_t layer) const;
    std::uint16_t* start(int layer, std::int64_t page) const;

    KvShape shape_;
    std::vector<HugeMemory> layers_;
};

}  // namespace memside::engine
