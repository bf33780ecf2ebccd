#include "engine/attention_bench.h"

#include <cmath>

#include "base/clock.h"
#include "base/median.h"
#include "engine/attention.h"
#include "engine/policy_attention.h"
#include "engine/stream_rate.h"
#include "kv/counter_random.h"

namespace memside::engine {
namespace {

std::size_t size(std::int64_t count) {
    return static_cast<std::size_t>(count);
}

// The page being written and the newest whole one, and the first: as a user would have it.
constexpr kv::PinnedPages pinned{1, 2};

void randomise(std::vector<float>& queries, std::uint64_t key) {
    for (std::size_t i = 0; i < queries.size(); ++i) {
        queries[i] = static_cast<float>(2.0 * kv::uniform(kv::random_bits(key, i)) - 1.0);
    }
}

// Writes keys and values of `tokens` tokens of all layers in passages (AttentionBenchOptions).
void fill_passages(KvStore& store, std::int64_t tokens, std::uint64_t seed, ThreadPool& pool) {
    constexpr std::int64_t passage_tokens = 10000;
    const auto values = static_cast<std::size_t>(store.shape().kv_heads * store.shape().head_dim);
    for (std::size_t layer = 0; layer < store.shape().kept_tokens.size(); ++layer) {
        pool.run(kv::page_count(tokens, passage_tokens), [&](std::int64_t passage) {
            const std::uint64_t centre =
                kv::key_of({seed, layer, static_cast<std::uint64_t>(passage)});
            std::vector<float> row(values);
            const std::int64_t first = passage * passage_tokens;
            for (std::int64_t t = first; t < std::min(first + passage_tokens, tokens); ++t) {
                const std::uint64_t noise = kv::key_of({centre, static_cast<std::uint64_t>(t)});
                for (std::size_t i = 0; i < values; ++i) {
                    const double middle = 2.0 * kv::uniform(kv::random_bits(centre, i)) - 1.0;
                    row[i] = static_cast<float>(middle) +
                             kv::normal_pair(kv::random_bits(noise, i)).sum / 32.0F;
                }
                store.write(static_cast<int>(layer), t, row.data(), row.data());
            }
        });
    }
}

// Seconds that the digests of one new token take in one layer: the median over four pages of them.
Result<double> digest_seconds(KvStore& store, PolicyAttention& selected, std::int64_t first) {
    const KvShape& shape = store.shape();
    std::vector<float> row(static_cast<std::size_t>(shape.kv_heads * shape.head_dim));
    std::vector<double> seconds;
    const auto layers = static_cast<int>(shape.kept_tokens.size());
    for (std::int64_t t = first; t < shape.capacity_tokens; ++t) {
        for (int layer = 0; layer < layers; ++layer) {
            randomise(row, kv::key_of({static_cast<std::uint64_t>(t)}));
            store.write(layer, t, row.data(), row.data());
            const double begin = seconds_now();
            MEMSIDE_CHECK(selected.append(layer, t, 1));
            seconds.push_back(seconds_now() - begin);
        }
    }
    return median(std::move(seconds));
}

}  // namespace

Result<AttentionBenchResult> bench_attention(const AttentionBenchOptions& options) {
    ThreadPool pool(options.threads);
    KvShape shape;
    shape.kv_heads = options.kv_heads;
    shape.head_dim = options.head_dim;
    shape.page_tokens = options.page_tokens;
    // Room for the tokens that digest_seconds() writes.
    shape.capacity_tokens = options.context_tokens + (options.select ? 4 * shape.page_tokens : 0);
    shape.type = options.kv_type;
    shape.kept_tokens = {0};
    const std::int64_t layer_bytes = (options.context_tokens + shape.page_tokens - 1) /
                                     shape.page_tokens * shape.kv_heads * shape.page_bytes();
    const std::int64_t distinct =
        options.distinct_bytes > 0 ? options.distinct_bytes : 4 * last_level_cache_bytes();
    const std::int64_t layers = (distinct + layer_bytes - 1) / layer_bytes;
    shape.kept_tokens.assign(static_cast<std::size_t>(layers), 0);
    MEMSIDE_TRY(KvStore store, KvStore::make(shape));
    MEMSIDE_TRY(StreamRate stream, StreamRate::make(distinct, pool));
    if (options.clustered) {
        fill_passages(store, options.context_tokens, options.seed, pool);
    } else {
        store.fill_random(options.context_tokens, options.seed, pool);
    }

    std::vector<float> queries(static_cast<std::size_t>(options.heads * options.head_dim));
    std::vector<float> out(queries.size());
    Attention dense(store, pool, options.heads);
    KvPolicy policy;
    policy.variant = &kv_policy_variant("pnm-kv");
    policy.selection.budget_tokens = options.budget_tokens;
    policy.selection.pinned = pinned;
    policy.digest.kind = options.digest_kind;
    policy.digest.type = options.digest_type;
    std::unique_ptr<PolicyAttention> selected;
    if (options.select) {
        MEMSIDE_CHECK(check_policy(policy, options.page_tokens));
        MEMSIDE_TRY(selected, PolicyAttention::make(store, pool, options.heads, policy,
                                                    std::vector<bool>(size(layers), true)));
        for (int layer = 0; layer < layers; ++layer) {
            MEMSIDE_CHECK(selected->append(layer, 0, options.context_tokens));
        }
    }
    AttentionCall call;
    call.queries = queries.data();
    call.tokens = 1;
    call.first_position = options.context_tokens - 1;
    call.scale = 1.0F / std::sqrt(static_cast<float>(options.head_dim));
    call.out = out.data();

    // Stream and attention take turns, so that what disturbs one disturbs the other. The first
    // round warms up.
    AttentionBenchResult result;
    std::vector<double> steps;
    std::vector<double> selections;
    std::vector<double> rates;
    std::int64_t digests_read = 0;
    const double start = seconds_now();
    for (std::int64_t round = 0; round < 4 || seconds_now() - start < options.seconds; ++round) {
        const double rate = stream.measure(pool);
        if (round > 0) rates.push_back(rate);
        for (std::int64_t layer = 0; layer < layers; ++layer) {
            call.layer = static_cast<int>(layer);
            // Another query for every step, or the pages of the last round would be wanted again.
            randomise(queries, kv::key_of({options.seed, static_cast<std::uint64_t>(round),
                                           static_cast<std::uint64_t>(layer)}));
            const std::int64_t before = dense.bytes_read();
            if (selected != nullptr) selected->reset_counts();
            const double begin = seconds_now();
            MEMSIDE_CHECK(selected != nullptr ? selected->run(call) : dense.run(call));
            const double end = seconds_now();
            result.bytes_read = dense.bytes_read() - before;
            if (selected != nullptr) {
                const PolicyCounts& counts = selected->counts();
                result.bytes_read = counts.kv_bytes + counts.digest_bytes;
            }
            if (round == 0) continue;
            steps.push_back(end - begin);
            if (selected == nullptr) continue;
            selections.push_back(selected->counts().scoring_s);
            digests_read += selected->counts().pages_scanned;
        }
    }
    const double step = median(steps);
    result.ns_per_token_per_layer = step * 1e9;
    if (selected != nullptr) {
        const auto pages = static_cast<double>(
            shape.kv_heads * kv::page_count(options.context_tokens, shape.page_tokens));
        result.select_ns_per_layer = median(selections) * 1e9;
        result.digests_read =
            static_cast<double>(digests_read) / static_cast<double>(steps.size()) / pages;
        MEMSIDE_TRY(const double seconds, digest_seconds(store, *selected, options.context_tokens));
        result.digest_ns_per_layer = seconds * 1e9;
    }
    result.gb_per_s = static_cast<double>(result.bytes_read) / step / 1e9;
    result.stream_gb_per_s = median(rates) / 1e9;
    result.fraction_of_stream = result.gb_per_s / result.stream_gb_per_s;
    result.layers = layers;
    result.repetitions = static_cast<std::int64_t>(steps.size());
    result.kernel = attention_variant().name;
    return result;
}

}  // namespace memside::engine
