// Reading pieces of a file into memory, many at a time and without waiting for each.
//
// Variants, the first that works here in use, the reference last:
//   io_uring  the kernel reads while this thread computes
//   threads   the same with threads that call pread()
//   pread     one read after the other
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace memside::engine {

struct FileRead {
    std::uint64_t id = 0;  // the caller's
    std::int64_t offset = 0;
    std::byte* to = nullptr;
    std::int64_t bytes = 0;
};

struct FileReadEnd {
    std::uint64_t id = 0;
    std::int64_t result = 0;  // bytes read, as pread() has it: perhaps fewer; or -errno
};

// Used by one thread.
class FileReader {
  public:
    virtual ~FileReader() = default;

    // Reads that may be under way at once.
    virtual std::int64_t depth() const = 0;

    // Begins to read. The memory must stay until the read has ended.
    virtual Status begin(std::span<const FileRead> reads) = 0;

    // Waits until a read ends, of which one at least must be under way, and adds all that have.
    virtual Status wait(std::vector<FileReadEnd>& ended) = 0;
};

struct FileReaderVariant {
    std::string_view name;
    // Of an open file, which must outlive the reader. An environment error when it does not work on
    // this machine.
    std::function<Result<std::unique_ptr<FileReader>>(int descriptor)> make;
};

std::span<const FileReaderVariant> file_reader_variants();

// The reader of the first variant that works here.
Result<std::unique_ptr<FileReader>> make_file_reader(int descriptor);

// One file each.
Result<std::unique_ptr<FileReader>> make_uring_reader(int descriptor);
Result<std::unique_ptr<FileReader>> make_thread_reader(int descriptor);
Result<std::unique_ptr<FileReader>> make_pread_reader(int descriptor);

}  // namespace memside::engine
