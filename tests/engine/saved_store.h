// Sequences of random keys and values in a store, saved to a file.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "engine/saved_kv_writer.h"

namespace memside::engine::test {

// Layer 1 of three keeps a window.
inline KvShape saved_shape(kv::ValueType type, std::int64_t capacity,
                           std::int64_t page_tokens = 16) {
    KvShape shape;
    shape.kv_heads = 2;
    shape.head_dim = 24;
    shape.page_tokens = page_tokens;
    shape.capacity_tokens = capacity;
    shape.kept_tokens = {0, 70, 0};
    shape.type = type;
    return shape;
}

inline void write_random(KvStore& store, std::int64_t tokens, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto count = static_cast<std::size_t>(store.shape().kv_heads * store.shape().head_dim);
    std::vector<float> keys(count);
    std::vector<float> values(count);
    for (std::int64_t token = 0; token < tokens; ++token) {
        for (int layer = 0; layer < static_cast<int>(store.shape().kept_tokens.size()); ++layer) {
            for (float& value : keys) value = normal(random);
            for (float& value : values) value = normal(random);
            store.write(layer, token, keys.data(), values.data());
        }
    }
}

inline std::vector<std::int32_t> some_ids(std::int64_t count) {
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int32_t>(i * 37 % 251));
    return ids;
}

// A store with digests of layers 0 and 2.
struct SavedStore {
    KvStore store;
    DigestStore digests;
    std::vector<std::int32_t> ids;

    static SavedStore make(kv::ValueType type, std::int64_t tokens, std::uint32_t seed = 1) {
        const KvShape shape = saved_shape(type, tokens);
        DigestConfig config;
        config.layers = {true, false, true};
        SavedStore made{KvStore::make(shape).value(), DigestStore::make(shape, config).value(),
                        some_ids(tokens)};
        write_random(made.store, tokens, seed);
        for (const int layer : {0, 2}) made.digests.append(made.store, layer, 0, tokens);
        return made;
    }

    Result<std::int64_t> save(const std::string& path, ThreadPool& pool) const {
        return write_saved_kv({0x1234, ids, &store, &digests}, path, pool);
    }
};

}  // namespace memside::engine::test
