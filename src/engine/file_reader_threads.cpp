// Threads that call pread(): where the kernel has no io_uring, or refuses it.
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "engine/file_reader.h"

namespace memside::engine {
namespace {

// Enough to keep a disk busy; they sleep in the kernel, so that cores do not limit them.
constexpr int reading_threads = 16;

class ThreadReader : public FileReader {
  public:
    explicit ThreadReader(int descriptor) : descriptor_(descriptor) {
        for (int i = 0; i < reading_threads; ++i) threads_.emplace_back([this] { serve(); });
    }

    ~ThreadReader() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        asked_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    // Reads beyond the threads wait in the queue, so that a thread that ends one finds another.
    std::int64_t depth() const override { return 256; }

    Status begin(std::span<const FileRead> reads) override {
        {
            const std::lock_guard lock(mutex_);
            queue_.insert(queue_.end(), reads.begin(), reads.end());
        }
        asked_.notify_all();
        return {};
    }

    Status wait(std::vector<FileReadEnd>& ended) override {
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return !ended_.empty(); });
        ended.insert(ended.end(), ended_.begin(), ended_.end());
        ended_.clear();
        return {};
    }

  private:
    void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            asked_.wait(lock, [this] { return stop_ || !queue_.empty(); });
            if (queue_.empty()) return;
            const FileRead read = queue_.front();
            queue_.pop_front();
            lock.unlock();
            const ssize_t got =
                ::pread(descriptor_, read.to, static_cast<std::size_t>(read.bytes), read.offset);
            const std::int64_t result = got < 0 ? -errno : got;
            lock.lock();
            ended_.push_back({read.id, result});
            done_.notify_one();
        }
    }

    int descriptor_;
    std::mutex mutex_;
    std::condition_variable asked_;
    std::condition_variable done_;
    std::deque<FileRead> queue_;
    std::vector<FileReadEnd> ended_;
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<FileReader>> make_thread_reader(int descriptor) {
    return std::unique_ptr<FileReader>(std::make_unique<ThreadReader>(descriptor));
}

}  // namespace memside::engine
