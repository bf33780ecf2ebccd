#include "eval/key_recall.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "engine/page_scan.h"
#include "kv/selection.h"

namespace memside::eval {
namespace {

// The page of the key with the largest product, f64.
std::int64_t best_page(std::span<const float> keys, const std::vector<float>& query,
                       std::int64_t page_tokens) {
    const std::size_t dim = query.size();
    double largest = -std::numeric_limits<double>::infinity();
    std::size_t best = 0;
    for (std::size_t token = 0; token < keys.size() / dim; ++token) {
        double product = 0.0;
        for (std::size_t d = 0; d < dim; ++d) {
            product += double{keys[token * dim + d]} * double{query[d]};
        }
        if (product <= largest) continue;
        largest = product;
        best = token;
    }
    return static_cast<std::int64_t>(best) / page_tokens;
}

}  // namespace

double KeyRecall::among(std::int64_t count) const {
    const auto found = std::ranges::count_if(ranks, [&](std::int64_t r) { return r <= count; });
    return static_cast<double>(found) / static_cast<double>(ranks.size());
}

Result<std::vector<KeyRecall>> measure_key_recall(std::span<const float> keys, int dim,
                                                  std::int64_t page_tokens,
                                                  const std::vector<std::vector<float>>& queries,
                                                  const std::vector<AssociativeDigest>& digests,
                                                  engine::ThreadPool& pool) {
    const std::int64_t tokens = std::ssize(keys) / dim;
    assert(tokens > 0 && tokens % page_tokens == 0);
    engine::KvShape shape;
    shape.kv_heads = 1;
    shape.head_dim = dim;
    shape.page_tokens = page_tokens;
    shape.capacity_tokens = tokens;
    shape.kept_tokens = {0};
    MEMSIDE_TRY(engine::KvStore store, engine::KvStore::make(shape));
    for (std::int64_t t = 0; t < tokens; ++t) {
        store.write(0, t, keys.data() + t * dim, keys.data() + t * dim);
    }
    std::vector<std::int64_t> wanted(queries.size());
    pool.run(std::ssize(queries), [&](std::int64_t i) {
        const auto query = static_cast<std::size_t>(i);
        wanted[query] = best_page(keys, queries[query], page_tokens);
    });
    std::vector<KeyRecall> result;
    for (const AssociativeDigest& digest : digests) {
        MEMSIDE_TRY(engine::DigestStore made,
                    engine::DigestStore::make(
                        shape, {digest.kind, digest.type, digest.coefficient, {true}}));
        made.append(store, 0, 0, tokens, pool);
        engine::PageScan scan(shape, pool, 1, kv::SelectPer::kv_head, kv::GroupScore::mean);
        KeyRecall recall{digest, tokens / page_tokens, {}};
        for (std::size_t query = 0; query < queries.size(); ++query) {
            scan.run(queries[query].data(), 0, recall.pages, made, 0, {});
            const std::span<const float> scores = std::as_const(scan).scores(0);
            std::int64_t rank = 1;
            for (std::int64_t page = 0; page < recall.pages; ++page) {
                if (kv::ranks_before(scores, static_cast<kv::PageIndex>(page),
                                     static_cast<kv::PageIndex>(wanted[query]))) {
                    ++rank;
                }
            }
            recall.ranks.push_back(rank);
        }
        result.push_back(std::move(recall));
    }
    return result;
}

}  // namespace memside::eval
