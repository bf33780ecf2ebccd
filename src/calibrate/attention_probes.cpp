// The attention kernel over a page: from the cache for what arithmetic takes, from memory for how
// much of that hides behind reading.
#include <cmath>

#include "calibrate/attention_fit.h"
#include "calibrate/workbench.h"
#include "engine/attention.h"
#include "kv/counter_random.h"

namespace memside::calibrate {
namespace {

constexpr int kv_heads = 4;
constexpr std::int64_t page_tokens = 64;

// Dense attention of one token over a store of its own.
class Attending {
  public:
    static Result<std::shared_ptr<Attending>> make(engine::ThreadPool& pool, kv::ValueType type,
                                                   int head_dim, std::int64_t bytes) {
        engine::KvShape shape;
        shape.kv_heads = kv_heads;
        shape.head_dim = head_dim;
        shape.page_tokens = page_tokens;
        shape.type = type;
        shape.kept_tokens = {0};
        shape.capacity_tokens = bytes / (kv_heads * shape.page_bytes()) * page_tokens;
        MEMSIDE_TRY(engine::KvStore store, engine::KvStore::make(shape));
        store.fill_random(shape.capacity_tokens, 1, pool);
        return std::shared_ptr<Attending>(new Attending(std::move(store)));
    }

    // Seconds per page of a KV head.
    double seconds(engine::ThreadPool& pool, int rows, int repetitions) {
        const engine::KvShape& shape = store_.shape();
        engine::Attention attention(store_, pool, kv_heads * rows);
        std::vector<float> queries(static_cast<std::size_t>(kv_heads * rows * shape.head_dim));
        std::vector<float> out(queries.size());
        for (std::size_t i = 0; i < queries.size(); ++i) {
            queries[i] = kv::normal_pair(kv::random_bits(7, i)).sum;
        }
        engine::AttentionCall call;
        call.queries = queries.data();
        call.tokens = 1;
        call.first_position = shape.capacity_tokens - 1;
        call.scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
        call.out = out.data();
        const double pages =
            static_cast<double>(shape.capacity_tokens / page_tokens * shape.kv_heads);
        // A store in memory cannot fail to give a page.
        return median_seconds(repetitions, [&] { (void)attention.run(call); }) / pages;
    }

  private:
    explicit Attending(engine::KvStore store) : store_(std::move(store)) {}

    engine::KvStore store_;
};

}  // namespace

Status add_attention_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                            ProbeSet& probes) {
    for (const kv::ValueType type : attention_types) {
        const std::string name = kv::value_type_names()[static_cast<std::size_t>(type)];
        for (const int head_dim : attention_dims) {
            // 32 pages a thread: within level 2, and parts enough for all threads.
            const std::int64_t cached = std::int64_t{pool.threads()} * 512 * 1024 * head_dim / 64;
            MEMSIDE_TRY(const auto store, Attending::make(pool, type, head_dim, cached));
            for (const int rows : attention_rows) {
                probes.add(attention_probe(prefix, name, head_dim, rows),
                           [store, &pool, rows] { return store->seconds(pool, rows, 5); });
            }
        }
    }
    MEMSIDE_TRY(const auto large,
                Attending::make(pool, kv::ValueType::f16, overlap_dim, bench.bytes() / 4));
    for (const int rows : attention_rows) {
        probes.add(overlap_probe(prefix, rows),
                   [large, &pool, rows] { return large->seconds(pool, rows, 1); });
    }
    return {};
}

}  // namespace memside::calibrate
