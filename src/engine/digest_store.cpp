#include "engine/digest_store.h"

#include "kv/half.h"
#include "kv/layout.h"

namespace memside::engine {

Result<DigestStore> DigestStore::make(const KvShape& shape, kv::DigestKind kind,
                                      float coefficient) {
    DigestStore store;
    store.head_dim_ = shape.head_dim;
    store.blocks_ = kv::page_count(kv::page_count(shape.capacity_tokens, shape.page_tokens),
                                   digest_block_pages);
    store.kind_ = kind;
    store.coefficient_ = coefficient;
    const std::int64_t bytes = shape.kv_heads * store.blocks_ * store.block_values() * 2;
    MEMSIDE_TRY(store.memory_, HugeMemory::reserve(static_cast<std::size_t>(bytes)));
    return store;
}

void DigestStore::update(const KvStore& store, int layer, std::int64_t page, int kv_head,
                         std::int64_t tokens) {
    const auto channels = static_cast<std::size_t>(head_dim_);
    std::vector<float> rows(channels * static_cast<std::size_t>(tokens));
    store.read_keys(layer, page, kv_head, 0, tokens, rows.data());
    const auto digest = kv::digest_variant(kind_).make(head_dim_, coefficient_);
    digest->append(rows);
    std::vector<float> low(channels);
    std::vector<float> high(channels);
    digest->corners(low, high);
    std::uint16_t* block = start(kv_head) + page / digest_block_pages * block_values();
    for (std::int64_t d = 0; d < head_dim_; ++d) {
        const std::int64_t at = d * digest_block_pages + page % digest_block_pages;
        const auto channel = static_cast<std::size_t>(d);
        // Outward, so that a bound stays a bound.
        block[at] = kv::half_from_float(low[channel], kv::RoundTo::down);
        block[head_dim_ * digest_block_pages + at] =
            kv::half_from_float(high[channel], kv::RoundTo::up);
    }
}

}  // namespace memside::engine
