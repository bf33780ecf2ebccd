// Threads that stay, for loops of microseconds: a decode step has hundreds of them, too short to
// start threads or to go through a general scheduler for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <type_traits>
#include <vector>

namespace memside::engine {

class ThreadPool {
  public:
    // `threads` in total, the caller of run() included; 0: all cores.
    // `start` is called first on every thread with its index, on the caller's with 0.
    explicit ThreadPool(unsigned threads, const std::function<void(unsigned)>& start = {});
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    unsigned threads() const { return static_cast<unsigned>(helpers_.size()) + 1; }

    // Calls body(i) once for every i in [0, count), in any order and on any thread, and returns
    // when all calls have. One run at a time, and not from inside a body. The body must write only
    // what index i owns.
    template <typename Body>
    void run(std::int64_t count, const Body& body) {
        if (helpers_.empty() || count <= 1) {
            for (std::int64_t i = 0; i < count; ++i) body(i);
            return;
        }
        run_erased(
            count, [](const void* data, std::int64_t i) { (*static_cast<const Body*>(data))(i); },
            &body);
    }

  private:
    using Call = void (*)(const void* body, std::int64_t index);

    void run_erased(std::int64_t count, Call call, const void* body);
    void serve();
    void take_indices();
    bool enter();
    void leave();

    // The job. Written by run() while the gate is closed and nobody is inside.
    std::int64_t count_ = 0;
    Call call_ = nullptr;
    const void* body_ = nullptr;

    // Number of the job; helpers wait for it to change.
    alignas(64) std::atomic<std::uint32_t> job_{0};
    // The first index that nobody has taken.
    alignas(64) std::atomic<std::int64_t> next_{0};
    // Upper half: number of the job. Bit 31: helpers may enter. Below: helpers inside. A helper
    // that wakes up late finds the gate closed, and nobody has waited for it.
    alignas(64) std::atomic<std::uint64_t> gate_{0};
    std::atomic<bool> stop_{false};
    std::vector<std::thread> helpers_;
};

}  // namespace memside::engine
