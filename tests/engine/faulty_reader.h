// A reader of files that fails as it is told: for injecting what disks do.
#pragma once

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <utility>

#include "engine/file_reader.h"

namespace memside::engine::test {

// Asked for each read, by its number since the start: 0 lets it be; -errno makes it fail; a
// positive number of bytes cuts it short.
using Fault = std::function<std::int64_t(std::int64_t number, const FileRead& read)>;

// Reads like the reference, but ends reads last one first, and as `fault` has it.
class FaultyReader : public FileReader {
  public:
    FaultyReader(std::unique_ptr<FileReader> reader, Fault fault)
        : reader_(std::move(reader)), fault_(std::move(fault)) {}

    std::int64_t depth() const override { return 16; }

    Status begin(std::span<const FileRead> reads) override {
        for (const FileRead& asked : reads) {
            FileRead read = asked;
            const std::int64_t fault = fault_(number_++, read);
            if (fault < 0) {
                ended_.push_back({read.id, fault});
                continue;
            }
            if (fault > 0) read.bytes = std::min(read.bytes, fault);
            MEMSIDE_CHECK(reader_->begin(std::span(&read, 1)));
            MEMSIDE_CHECK(reader_->wait(ended_));
        }
        return {};
    }

    Status wait(std::vector<FileReadEnd>& ended) override {
        ended.push_back(ended_.back());
        ended_.pop_back();
        return {};
    }

  private:
    std::unique_ptr<FileReader> reader_;
    Fault fault_;
    std::int64_t number_ = 0;
    std::vector<FileReadEnd> ended_;
};

inline FileReaderVariant faulty_variant(Fault fault) {
    return {"faulty",
            [fault = std::move(fault)](int descriptor) -> Result<std::unique_ptr<FileReader>> {
                MEMSIDE_TRY(auto reader, make_pread_reader(descriptor));
                return std::unique_ptr<FileReader>(
                    std::make_unique<FaultyReader>(std::move(reader), fault));
            }};
}

}  // namespace memside::engine::test
