// Sequences of keys for the tests of digests and selection.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "engine/kv_store.h"

namespace memside::engine::test {

enum class Keys {
    iid,        // normal, each token for itself
    clustered,  // passages of 2000 to 3000 tokens, each around a direction of its own
    tied,       // small integers: scores tie often
};

inline KvShape sequence_shape(int kv_heads, int head_dim, std::int64_t page_tokens,
                              std::int64_t tokens, std::size_t layers = 1) {
    KvShape shape;
    shape.kv_heads = kv_heads;
    shape.head_dim = head_dim;
    shape.page_tokens = page_tokens;
    shape.capacity_tokens = tokens;
    shape.kept_tokens.assign(layers, 0);
    return shape;
}

// Writes tokens [first, last) of a layer.
inline void write_keys(KvStore& store, int layer, std::int64_t first, std::int64_t last, Keys keys,
                       std::uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const auto values = static_cast<std::size_t>(store.shape().kv_heads * store.shape().head_dim);
    std::vector<float> centre(values, 0.0F);
    std::vector<float> key(values);
    std::int64_t left = 0;
    for (std::int64_t token = first; token < last; ++token) {
        if (keys == Keys::clustered && left-- == 0) {
            for (float& value : centre) value = normal(random);
            left = 2000 + static_cast<std::int64_t>(random() % 1000);
        }
        for (std::size_t i = 0; i < values; ++i) {
            key[i] = keys == Keys::tied        ? static_cast<float>(random() % 3) - 1.0F
                     : keys == Keys::clustered ? centre[i] + 0.02F * normal(random)
                                               : normal(random);
        }
        store.write(layer, token, key.data(), key.data());
    }
}

}  // namespace memside::engine::test
