#include "engine/kv_store.h"

#include <bit>
#include <cassert>
#include <cstring>

#include "base/number.h"
#include "engine/half.h"
#include "kv/counter_random.h"
#include "kv/layout.h"

namespace memside::engine {

std::int64_t KvStore::places(std::size_t layer) const {
    const std::int64_t all = kv::page_count(shape_.capacity_tokens, shape_.page_tokens);
    const std::int64_t kept = shape_.kept_tokens[layer];
    if (kept == 0) return all;
    // One more: the kept tokens may begin and end inside a page.
    return std::min(all, kv::page_count(kept, shape_.page_tokens) + 1);
}

Result<KvStore> KvStore::make(KvShape shape) {
    assert(std::has_single_bit(static_cast<std::uint64_t>(shape.page_tokens)));
    assert(shape.page_tokens >= min_page_tokens && shape.page_tokens <= max_page_tokens);
    KvStore store;
    store.shape_ = std::move(shape);
    const std::size_t total =
        static_cast<std::size_t>(store.bytes_of(store.shape_.capacity_tokens));
    if (total > physical_memory_bytes()) {
        return Error{
            "",
            fmt::format("keys and values of {} tokens are {}, more than the {} of memory "
                        "of this machine",
                        store.shape_.capacity_tokens, format_bytes(static_cast<double>(total)),
                        format_bytes(static_cast<double>(physical_memory_bytes()))),
            Error::Kind::infeasible};
    }
    const std::int64_t page_bytes = store.shape_.page_bytes() * store.shape_.kv_heads;
    for (std::size_t layer = 0; layer < store.shape_.kept_tokens.size(); ++layer) {
        MEMSIDE_TRY(
            HugeMemory memory,
            HugeMemory::reserve(static_cast<std::size_t>(store.places(layer) * page_bytes)));
        store.layers_.push_back(std::move(memory));
    }
    return store;
}

std::uint16_t* KvStore::start(int layer, std::int64_t page) const {
    const auto index = static_cast<std::size_t>(layer);
    const std::int64_t place = shape_.kept_tokens[index] == 0 ? page : page % places(index);
    return reinterpret_cast<std::uint16_t*>(layers_[index].data()) +
           place * shape_.page_values() * shape_.kv_heads;
}

void KvStore::write(int layer, std::int64_t position, const float* keys, const float* values) {
    assert(position < shape_.capacity_tokens);
    const std::int64_t token = position % shape_.page_tokens;
    std::uint16_t* page = start(layer, position / shape_.page_tokens);
    for (int head = 0; head < shape_.kv_heads; ++head) {
        std::uint16_t* key = page + head * shape_.page_values() + token;
        std::uint16_t* value = page + head * shape_.page_values() + shape_.key_values() +
                               token * shape_.value_stride();
        const float* k = keys + head * shape_.head_dim;
        const float* v = values + head * shape_.head_dim;
        for (int d = 0; d < shape_.head_dim; ++d) {
            key[d * shape_.page_tokens] = half_from_float(k[d]);
            value[d] = half_from_float(v[d]);
        }
    }
}

void KvStore::fill_random(std::int64_t tokens, std::uint64_t seed, ThreadPool& pool) {
    const std::int64_t page_values = shape_.page_values() * shape_.kv_heads;
    for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
        const std::int64_t pages =
            std::min(kv::page_count(tokens, shape_.page_tokens), places(layer));
        pool.run(pages, [&](std::int64_t page) {
            std::uint16_t* to =
                reinterpret_cast<std::uint16_t*>(layers_[layer].data()) + page * page_values;
            const std::uint64_t key = kv::key_of({seed, layer, static_cast<std::uint64_t>(page)});
            for (std::int64_t i = 0; i < page_values; i += 4) {
                const std::uint64_t bits = kv::random_bits(key, static_cast<std::uint64_t>(i));
                // Sign and fraction at random, the exponent of 0.25.
                const std::uint64_t halves = (bits & 0x83FF83FF83FF83FFULL) | 0x3400340034003400ULL;
                std::memcpy(to + i, &halves, sizeof halves);
            }
        });
    }
}

std::int64_t KvStore::bytes_of(std::int64_t tokens) const {
    std::int64_t pages = 0;
    for (std::size_t layer = 0; layer < shape_.kept_tokens.size(); ++layer) {
        pages += std::min(kv::page_count(tokens, shape_.page_tokens), places(layer));
    }
    return pages * shape_.kv_heads * shape_.page_bytes();
}

}  // namespace memside::engine
