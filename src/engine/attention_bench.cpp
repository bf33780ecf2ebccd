#include "engine/attention_bench.h"

#include <chrono>
#include <cmath>

#include "engine/attention.h"
#include "engine/selected_attention.h"
#include "engine/stream_rate.h"
#include "kv/counter_random.h"

namespace memside::engine {
namespace {

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// The page being written and the newest whole one, and the first: as a user would have it.
constexpr kv::PinnedPages pinned{1, 2};

void randomise(std::vector<float>& queries, std::uint64_t key) {
    for (std::size_t i = 0; i < queries.size(); ++i) {
        queries[i] = static_cast<float>(2.0 * kv::uniform(kv::random_bits(key, i)) - 1.0);
    }
}

// The min/max digests of every page of every layer.
Result<std::vector<DigestStore>> make_digests(const KvStore& store, ThreadPool& pool) {
    const KvShape& shape = store.shape();
    const std::int64_t pages = kv::page_count(shape.capacity_tokens, shape.page_tokens);
    std::vector<DigestStore> digests;
    for (std::size_t layer = 0; layer < shape.kept_tokens.size(); ++layer) {
        MEMSIDE_TRY(DigestStore made, DigestStore::make(shape, kv::DigestKind::minmax, 1.0F));
        pool.run(pages, [&](std::int64_t page) {
            const std::int64_t tokens =
                std::min(shape.page_tokens, shape.capacity_tokens - page * shape.page_tokens);
            for (int h = 0; h < shape.kv_heads; ++h) {
                made.update(store, static_cast<int>(layer), page, h, tokens);
            }
        });
        digests.push_back(std::move(made));
    }
    return digests;
}

}  // namespace

Result<AttentionBenchResult> bench_attention(const AttentionBenchOptions& options) {
    ThreadPool pool(options.threads);
    KvShape shape;
    shape.kv_heads = options.kv_heads;
    shape.head_dim = options.head_dim;
    shape.page_tokens = options.page_tokens;
    shape.capacity_tokens = options.context_tokens;
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
    store.fill_random(options.context_tokens, options.seed, pool);

    std::vector<float> queries(static_cast<std::size_t>(options.heads * options.head_dim));
    std::vector<float> out(queries.size());
    Attention dense(store, pool, options.heads);
    MEMSIDE_CHECK(kv::check_budget(options.budget_tokens, options.page_tokens, pinned, "--budget"));
    SelectedAttention selected(store, pool, options.heads, {options.budget_tokens, pinned});
    std::vector<DigestStore> digests;
    if (options.select) {
        MEMSIDE_TRY(digests, make_digests(store, pool));
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
    std::vector<double> rates;
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
            const double begin = seconds_now();
            if (options.select) {
                selected.run(call, digests[static_cast<std::size_t>(layer)]);
            } else {
                dense.run(call);
            }
            if (round > 0) steps.push_back(seconds_now() - begin);
            result.bytes_read =
                options.select ? selected.bytes_read() : dense.bytes_read() - before;
        }
    }
    const double step = median(steps);
    result.ns_per_token_per_layer = step * 1e9;
    result.gb_per_s = static_cast<double>(result.bytes_read) / step / 1e9;
    result.stream_gb_per_s = median(rates) / 1e9;
    result.fraction_of_stream = result.gb_per_s / result.stream_gb_per_s;
    result.layers = layers;
    result.repetitions = static_cast<std::int64_t>(steps.size());
    result.kernel = attention_variant().name;
    return result;
}

}  // namespace memside::engine
