#include "engine/thread_pool.h"

namespace memside::engine {
namespace {

// How often to look before going to sleep. A look takes some tens of cycles, so this is of the
// order of 20 microseconds: longer than the pause between the loops of a step, short enough to
// leave a shared core to others.
constexpr int looks = 1000;

constexpr std::uint64_t open_bit = std::uint64_t{1} << 31;
constexpr std::uint64_t inside_bits = open_bit - 1;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

// Returns once `value` differs from `old`.
template <typename T>
void wait_while(const std::atomic<T>& value, T old) {
    for (int look = 0; look < looks; ++look) {
        if (value.load(std::memory_order_acquire) != old) return;
        pause();
    }
    while (value.load(std::memory_order_acquire) == old) {
        value.wait(old, std::memory_order_acquire);
    }
}

}  // namespace

ThreadPool::ThreadPool(unsigned threads, const std::function<void(unsigned)>& start) {
    if (threads == 0) threads = std::max(std::thread::hardware_concurrency(), 1U);
    for (unsigned i = 1; i < threads; ++i) {
        helpers_.emplace_back([this, start, i] {
            if (start) start(i);
            serve();
        });
    }
    if (start) start(0);
}

ThreadPool::~ThreadPool() {
    stop_.store(true, std::memory_order_relaxed);
    job_.fetch_add(1, std::memory_order_release);
    job_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
}

void ThreadPool::take_indices() {
    for (;;) {
        const std::int64_t index = next_.fetch_add(1, std::memory_order_relaxed);
        if (index >= count_) return;
        call_(body_, index);
    }
}

bool ThreadPool::enter() {
    std::uint64_t gate = gate_.load(std::memory_order_relaxed);
    while ((gate & open_bit) != 0) {
        // Acquire: the job was written before the gate was opened.
        if (gate_.compare_exchange_weak(gate, gate + 1, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void ThreadPool::leave() {
    // Release: what the bodies wrote is seen by whoever finds nobody inside.
    const std::uint64_t before = gate_.fetch_sub(1, std::memory_order_acq_rel);
    if ((before & (open_bit | inside_bits)) == 1) gate_.notify_one();
}

void ThreadPool::serve() {
    std::uint32_t seen = 0;
    for (;;) {
        wait_while(job_, seen);
        seen = job_.load(std::memory_order_acquire);
        if (stop_.load(std::memory_order_relaxed)) return;
        if (!enter()) continue;
        take_indices();
        leave();
    }
}

void ThreadPool::run_erased(std::int64_t count, Call call, const void* body) {
    count_ = count;
    call_ = call;
    body_ = body;
    next_.store(0, std::memory_order_relaxed);
    const std::uint32_t number = job_.load(std::memory_order_relaxed) + 1;
    gate_.store(std::uint64_t{number} << 32 | open_bit, std::memory_order_release);
    job_.store(number, std::memory_order_release);
    job_.notify_all();
    take_indices();
    std::uint64_t gate = gate_.fetch_and(~open_bit, std::memory_order_acq_rel) & ~open_bit;
    while ((gate & inside_bits) != 0) {
        wait_while(gate_, gate);
        gate = gate_.load(std::memory_order_acquire);
    }
}

}  // namespace memside::engine
