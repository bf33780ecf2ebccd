#include "engine/stream_rate.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>

namespace memside::engine {
namespace {

constexpr std::int64_t part_bytes = std::int64_t{1} << 22;

std::uint64_t sum_of_words(const std::byte* from, std::int64_t bytes) {
    constexpr int lanes = 16;
    std::uint64_t sums[lanes] = {};
    for (std::int64_t at = 0; at < bytes; at += lanes * 8) {
        std::uint64_t words[lanes];
        std::memcpy(words, from + at, sizeof words);
        for (int l = 0; l < lanes; ++l) sums[l] += words[l];
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t s : sums) sum += s;
    return sum;
}

}  // namespace

std::int64_t last_level_cache_bytes() {
    const long bytes = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
    return bytes > 0 ? bytes : std::int64_t{32} << 20;
}

Result<StreamRate> StreamRate::make(std::int64_t bytes, ThreadPool& pool) {
    StreamRate rate;
    const std::int64_t parts = (bytes + part_bytes - 1) / part_bytes;
    MEMSIDE_TRY(rate.memory_, HugeMemory::reserve(static_cast<std::size_t>(parts * part_bytes)));
    pool.run(parts, [&](std::int64_t part) {
        std::memset(rate.memory_.data() + part * part_bytes, 1, part_bytes);
    });
    return rate;
}

double StreamRate::measure(ThreadPool& pool) {
    const auto bytes = static_cast<std::int64_t>(memory_.size());
    const std::int64_t threads = pool.threads();
    const std::int64_t parts = bytes / part_bytes;
    std::atomic<std::uint64_t> total{0};
    const auto start = std::chrono::steady_clock::now();
    pool.run(threads, [&](std::int64_t thread) {
        std::uint64_t sum = 0;
        for (std::int64_t p = parts * thread / threads; p < parts * (thread + 1) / threads; ++p) {
            sum += sum_of_words(memory_.data() + p * part_bytes, part_bytes);
        }
        total += sum;
    });
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    sink_ += total;
    return static_cast<double>(parts * part_bytes) / elapsed.count();
}

}  // namespace memside::engine
