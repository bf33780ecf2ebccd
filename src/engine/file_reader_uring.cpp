// Reads through io_uring: a call begins many, and the disk fills memory while cores compute.
#include <liburing.h>

#include <cassert>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "engine/file_reader.h"

namespace memside::engine {
namespace {

constexpr unsigned queue_depth = 256;

class UringReader : public FileReader {
  public:
    explicit UringReader(int descriptor) : descriptor_(descriptor) {}
    UringReader(const UringReader&) = delete;
    UringReader& operator=(const UringReader&) = delete;
    ~UringReader() override {
        if (open_) ::io_uring_queue_exit(&ring_);
    }

    // 0, or the negative errno of a kernel that refuses.
    int open() {
        const int result = ::io_uring_queue_init(queue_depth, &ring_, 0);
        open_ = result == 0;
        return result;
    }

    std::int64_t depth() const override { return queue_depth; }

    Status begin(std::span<const FileRead> reads) override {
        for (const FileRead& read : reads) {
            io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
            assert(entry != nullptr);
            ::io_uring_prep_read(entry, descriptor_, read.to, static_cast<unsigned>(read.bytes),
                                 static_cast<std::uint64_t>(read.offset));
            ::io_uring_sqe_set_data64(entry, read.id);
        }
        for (auto left = static_cast<int>(reads.size()); left > 0;) {
            const int taken = ::io_uring_submit(&ring_);
            if (taken == -EINTR || taken == -EAGAIN) continue;
            if (taken <= 0) return refused("submit reads", taken);
            left -= taken;
        }
        return {};
    }

    Status wait(std::vector<FileReadEnd>& ended) override {
        io_uring_cqe* entry = nullptr;
        for (;;) {
            const int result = ::io_uring_wait_cqe(&ring_, &entry);
            if (result == 0) break;
            if (result != -EINTR) return refused("wait for reads", result);
        }
        while (::io_uring_peek_cqe(&ring_, &entry) == 0) {
            ended.push_back({::io_uring_cqe_get_data64(entry), entry->res});
            ::io_uring_cqe_seen(&ring_, entry);
        }
        return {};
    }

    static Error refused(const char* what, int result) {
        return {"io_uring", fmt::format("cannot {}: {}", what, std::strerror(-result)),
                Error::Kind::environment};
    }

  private:
    int descriptor_;
    bool open_ = false;
    io_uring ring_{};
};

}  // namespace

Result<std::unique_ptr<FileReader>> make_uring_reader(int descriptor) {
    auto reader = std::make_unique<UringReader>(descriptor);
    // A kernel without it, or one that a container's filter keeps it from.
    if (const int result = reader->open(); result != 0) {
        return UringReader::refused("start", result);
    }
    return std::unique_ptr<FileReader>(std::move(reader));
}

}  // namespace memside::engine
