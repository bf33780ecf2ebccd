// Page scores of keys without any structure: real digests of random keys, scored with random
// queries. This is what a sequence filled at random has (`bench decode --fill random`), not what
// text has: for measuring machines, not policies.
//
// A key's channel has a random sign and a magnitude uniform in [0.25, 0.5) (int8: uniform in
// [-0.5, 0.5]), as the engine's KV store fills itself. Queries are normal, and assumed independent
// from one step to the next, as those of random tokens in a random model nearly are.
#pragma once

#include <cstdint>
#include <memory>

#include "kv/layout.h"
#include "kv/score_source.h"

namespace memside::kv {

struct RandomKeysShape {
    std::int64_t context_tokens = 0;  // at step 0; every step adds one token
    std::int64_t page_tokens = 0;
    // Of a page set: KV heads that share it, and query heads of each, whose scores are averaged.
    int kv_heads = 1;
    int group = 1;
    int head_dim = 0;
    DigestKind digest = DigestKind::minmax;
    ValueType value_type = ValueType::f16;
};

// Unlimited in requests, layers and steps. The same seed gives the same bytes on any number of
// threads. Digests are not rounded: f16 keys have corners that f16 holds.
std::unique_ptr<ScoreSource> make_random_key_scores(const RandomKeysShape& shape,
                                                    std::uint64_t seed);

}  // namespace memside::kv
