// Reading DRAM in order, reading and copying pieces from random places, reading the cache.
#include <atomic>
#include <cstring>
#include <numeric>

#include "base/clock.h"
#include "calibrate/workbench.h"
#include "kv/counter_random.h"
#include "system/cpu_schema.h"

namespace memside::calibrate {
namespace {

// Read or copied by one probe of pieces: half of the memory at most, so that what comes later in a
// turn finds none of it in the cache.
constexpr std::int64_t probe_bytes = std::int64_t{64} << 20;

// Where each part of a loop goes on copying to; a cache line apart.
struct CopyTarget {
    static constexpr std::size_t apart = 8;
    engine::HugeMemory memory;
    std::vector<std::int64_t> at;  // [parts x apart]
};

// Numbers 0 to count - 1 in an order that depends on the seed.
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[kv::uniform_below(kv::random_bits(seed, i), i)]);
    }
    return order;
}

// Bytes per second at which pieces are visited in random order; visit(piece, next) handles one.
template <typename Visit>
double piece_rate(Workbench& bench, engine::ThreadPool& pool, std::int64_t bytes, std::uint64_t key,
                  const Visit& visit) {
    const std::vector<std::int64_t> order = shuffled(bench.bytes() / bytes, key);
    const std::int64_t pieces = probe_bytes / bytes;
    const std::int64_t parts = 4 * std::int64_t{pool.threads()};
    const double begin = seconds_now();
    pool.run(parts, [&](std::int64_t part) {
        const std::int64_t last = pieces * (part + 1) / parts;
        for (std::int64_t i = pieces * part / parts; i < last; ++i) {
            const auto at = static_cast<std::size_t>(i);
            visit(bench.memory() + order[at] * bytes, bench.memory() + order[at + 1] * bytes, part);
        }
    });
    return static_cast<double>(probe_bytes) / (seconds_now() - begin);
}

double stream_rate(Workbench& bench, engine::ThreadPool& pool) {
    std::atomic<std::uint64_t> sum{0};
    const std::int64_t threads = pool.threads();
    const std::int64_t part = bench.bytes() / threads / 128 * 128;
    const double begin = seconds_now();
    pool.run(threads,
             [&](std::int64_t i) { sum += read_words(bench.memory() + i * part, part, nullptr); });
    const double seconds = seconds_now() - begin;
    return sum == 0 ? 0.0 : static_cast<double>(part * threads) / seconds;
}

// Bytes per second of all threads that read `bytes` together, again and again.
double repeated_rate(Workbench& bench, engine::ThreadPool& pool, std::int64_t bytes) {
    std::atomic<std::uint64_t> sum{0};
    const std::int64_t threads = pool.threads();
    const std::int64_t part = bytes / threads / 128 * 128;
    const auto read = [&] {
        pool.run(threads, [&](std::int64_t i) {
            sum += read_words(bench.memory() + i * part, part, nullptr);
        });
    };
    read();
    const double seconds = median_seconds(3, read);
    return sum == 0 ? 0.0 : static_cast<double>(part * threads) / seconds;
}

}  // namespace

namespace {

// Eight sums in registers that every x86 and ARM processor has: arrays of the compiler's wider
// vectors go through the stack with GCC 12, which reads 26 GB/s from a level-1 cache.
template <bool fetches>
std::uint64_t sum_of_words(const std::byte* from, std::int64_t bytes, const std::byte* ahead) {
    using Words = std::uint64_t __attribute__((vector_size(16)));
    Words a{}, b{}, c{}, d{}, e{}, f{}, g{}, h{};
    for (std::int64_t at = 0; at < bytes; at += 8 * std::int64_t{sizeof(Words)}) {
        if constexpr (fetches) {
            __builtin_prefetch(ahead + at, 0, 2);
            __builtin_prefetch(ahead + at + 64, 0, 2);
        }
        const auto* words = reinterpret_cast<const Words*>(from + at);
        a += words[0];
        b += words[1];
        c += words[2];
        d += words[3];
        e += words[4];
        f += words[5];
        g += words[6];
        h += words[7];
    }
    const Words all = ((a + b) + (c + d)) + ((e + f) + (g + h));
    return all[0] + all[1];
}

}  // namespace

std::uint64_t read_words(const std::byte* from, std::int64_t bytes, const std::byte* ahead) {
    return ahead == nullptr ? sum_of_words<false>(from, bytes, from)
                            : sum_of_words<true>(from, bytes, ahead);
}

Status add_memory_probes(Workbench& bench, engine::ThreadPool& pool, const std::string& prefix,
                         ProbeSet& probes) {
    probes.add(prefix + "stream_rate", [&bench, &pool] { return stream_rate(bench, pool); });
    constexpr std::int64_t mebibyte = std::int64_t{1} << 20;
    const std::int64_t near = 4 * mebibyte * pool.threads();
    probes.add(prefix + "cache_rate",
               [&bench, &pool, near] { return repeated_rate(bench, pool, near); });
    for (const int point : cache_points) {
        probes.add(fmt::format("{}cache of {} MiB", prefix, point),
                   [&bench, &pool, point] { return repeated_rate(bench, pool, point * mebibyte); });
    }
    for (const PiecePoint& point : gather_points()) {
        const auto bytes = static_cast<std::int64_t>(point.bytes);
        probes.add(fmt::format("{}gather_{}", prefix, point.name),
                   [&bench, &pool, bytes, turn = std::uint64_t{0}]() mutable {
                       std::atomic<std::uint64_t> sum{0};
                       const double rate = piece_rate(
                           bench, pool, bytes, kv::key_of({1, ++turn}),
                           [&](const std::byte* piece, const std::byte* next, std::int64_t) {
                               sum.fetch_add(read_words(piece, bytes, next),
                                             std::memory_order_relaxed);
                           });
                       return sum == 0 ? 0.0 : rate;
                   });
    }
    // To places that were last written a while ago, as those of a pool of many layers.
    const std::int64_t parts = 4 * std::int64_t{pool.threads()};
    const std::int64_t part_bytes = 4 * probe_bytes / parts / 65536 * 65536;
    const auto target = std::make_shared<CopyTarget>();
    auto reserved = engine::HugeMemory::reserve(static_cast<std::size_t>(parts * part_bytes));
    if (!reserved.ok()) return reserved.error();
    target->memory = std::move(reserved).value();
    std::memset(target->memory.data(), 1, target->memory.size());
    target->at.resize(static_cast<std::size_t>(parts) * CopyTarget::apart);
    for (const PiecePoint& point : copy_points()) {
        const auto bytes = static_cast<std::int64_t>(point.bytes);
        probes.add(fmt::format("{}copy_{}", prefix, point.name),
                   [&bench, &pool, bytes, target, part_bytes, turn = std::uint64_t{0}]() mutable {
                       return piece_rate(
                           bench, pool, bytes, kv::key_of({2, ++turn}),
                           [&](const std::byte* piece, const std::byte*, std::int64_t part) {
                               std::int64_t& own =
                                   target->at[static_cast<std::size_t>(part) * CopyTarget::apart];
                               if (own + bytes > part_bytes) own = 0;
                               std::memcpy(target->memory.data() + part * part_bytes + own, piece,
                                           static_cast<std::size_t>(bytes));
                               own += bytes;
                           });
                   });
    }
    if (pool.threads() > 1) {
        probes.add(prefix + "fork_latency", [&pool] {
            std::atomic<std::int64_t> calls{0};
            const std::int64_t count = pool.threads();
            return median_seconds(200, [&] { pool.run(count, [&](std::int64_t) { ++calls; }); });
        });
    }
    return {};
}

}  // namespace memside::calibrate
