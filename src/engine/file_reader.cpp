#include "engine/file_reader.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace memside::engine {
namespace {

class PreadReader : public FileReader {
  public:
    explicit PreadReader(int descriptor) : descriptor_(descriptor) {}

    std::int64_t depth() const override { return 1; }

    Status begin(std::span<const FileRead> reads) override {
        for (const FileRead& read : reads) {
            const ssize_t got =
                ::pread(descriptor_, read.to, static_cast<std::size_t>(read.bytes), read.offset);
            ended_.push_back({read.id, got < 0 ? -errno : got});
        }
        return {};
    }

    Status wait(std::vector<FileReadEnd>& ended) override {
        ended.insert(ended.end(), ended_.begin(), ended_.end());
        ended_.clear();
        return {};
    }

  private:
    int descriptor_;
    std::vector<FileReadEnd> ended_;
};

}  // namespace

Result<std::unique_ptr<FileReader>> make_pread_reader(int descriptor) {
    return std::unique_ptr<FileReader>(std::make_unique<PreadReader>(descriptor));
}

std::span<const FileReaderVariant> file_reader_variants() {
    static const std::array<FileReaderVariant, 3> variants{{
        {"io_uring", make_uring_reader},
        {"threads", make_thread_reader},
        {"pread", make_pread_reader},
    }};
    return variants;
}

Result<std::unique_ptr<FileReader>> make_file_reader(int descriptor) {
    for (const FileReaderVariant& variant : file_reader_variants()) {
        auto made = variant.make(descriptor);
        if (made.ok()) return made;
    }
    return Error{"", "no way to read a file works here", Error::Kind::environment};
}

}  // namespace memside::engine
