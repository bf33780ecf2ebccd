// Digests of the pages of one layer, in the order in which a step scans them: per KV head, blocks
// of 16 pages with their low and high corners dimension-major (ScoreDigests). Which corners stand
// for a page is the business of kv/digest.h; min and max of f16 keys are exact in f16.
#pragma once

#include <cstdint>

#include "engine/attention_kernel.h"
#include "engine/huge_memory.h"
#include "engine/kv_store.h"
#include "kv/digest.h"

namespace memside::engine {

class DigestStore {
  public:
    // Address space for every page of the shape's capacity.
    static Result<DigestStore> make(const KvShape& shape, kv::DigestKind kind, float coefficient);

    // Makes the digest of one page of a KV head from its first `tokens` keys, at least one.
    void update(const KvStore& store, int layer, std::int64_t page, int kv_head,
                std::int64_t tokens);

    // f16 [2][head_dim][16] of 16 pages. Pages without a digest yet are all zero.
    const std::uint16_t* block(int kv_head, std::int64_t block) const {
        return start(kv_head) + block * block_values();
    }
    std::int64_t block_values() const { return 2 * head_dim_ * digest_block_pages; }

  private:
    std::uint16_t* start(int kv_head) const {
        return reinterpret_cast<std::uint16_t*>(memory_.data()) +
               kv_head * blocks_ * block_values();
    }

    std::int64_t head_dim_ = 0;
    std::int64_t blocks_ = 0;  // of a KV head
    kv::DigestKind kind_ = kv::DigestKind::minmax;
    float coefficient_ = 1.0F;
    HugeMemory memory_;
};

}  // namespace memside::engine
