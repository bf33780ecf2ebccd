// Pages of a KvFile on their way into memory. A pass of attention says which reads it needs, in
// waves; reads go on while waves that have arrived are attended, as far as there are frames for
// them. Between passes, pages that the next one will probably want are read ahead.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/file_reader.h"
#include "engine/huge_memory.h"
#include "engine/kv_file.h"

namespace memside::engine {

struct PageRead {
    std::int64_t offset = 0;  // in the file
    std::int64_t wave = 0;
    std::byte* to = nullptr;  // null: a frame, for as long as the pass needs it
};

// Since the last reset.
struct StreamCounts {
    std::int64_t reads = 0;
    std::int64_t bytes = 0;         // read, those that nobody wanted in the end included
    std::int64_t ahead = 0;         // reads begun before a pass asked
    std::int64_t ahead_wanted = 0;  // of those, reads that a pass then wanted
    double wait_s = 0.0;            // in which nothing could be attended
};

class PageStream {
  public:
    // Takes `frame_bytes` of memory. `file` must outlive the stream; a null variant: the first that
    // works.
    static Result<std::unique_ptr<PageStream>> make(const KvFile& file,
                                                    const FileReaderVariant* variant,
                                                    std::int64_t frame_bytes);
    ~PageStream();

    // Reads of that size which frames hold.
    std::int64_t frames(std::int64_t read_bytes) const { return frame_bytes_ / read_bytes; }

    // Begins a pass of reads of one size, waves ascending. The frames must hold two of the largest
    // wave.
    void begin(std::vector<PageRead> reads, std::int64_t read_bytes);
    // Waits until the reads up to that wave are in memory. After an error, which names the page,
    // the pass is over.
    Status arrive(std::int64_t wave);
    const std::byte* at(std::int64_t read) const {
        return arrivals_[static_cast<std::size_t>(of_[static_cast<std::size_t>(read)])].at;
    }
    // Frames of waves up to that one may serve others.
    void release(std::int64_t wave);
    // The pass is over.
    void end();

    // Between passes: begins to read pieces of that size at these offsets, as many as half of the
    // frames hold. What was read ahead before is forgotten.
    void read_ahead(std::span<const std::int64_t> offsets, std::int64_t read_bytes);
    // Forgets what was read ahead: the file has changed.
    void forget();

    const StreamCounts& counts() const { return counts_; }
    void reset_counts() { counts_ = {}; }
    std::int64_t memory_bytes() const { return frame_bytes_; }

  private:
    // A read and where it arrives.
    struct Arrival {
        std::int64_t offset = 0;
        std::byte* at = nullptr;
        std::int64_t done = 0;  // bytes
        bool framed = false;
        bool arrived = false;
        bool ahead = false;     // no pass has asked for it yet
        bool failed = false;    // ahead, and could not be read
        bool unwanted = false;  // its frame is free once it has arrived
    };

    PageStream(const KvFile& file, std::unique_ptr<FileReader> reader, HugeMemory memory,
               std::int64_t frame_bytes);
    void divide(std::int64_t read_bytes);
    std::size_t start(std::int64_t offset, std::byte* to);
    void submit();
    void issue();
    void collect();
    void finish(std::size_t id, std::int64_t result);
    void drop(std::size_t id);
    void fail(Error error);
    void settle();

    const KvFile& file_;
    std::unique_ptr<FileReader> reader_;
    HugeMemory memory_;
    std::int64_t frame_bytes_;
    std::int64_t read_bytes_ = 0;
    std::vector<std::byte*> free_;  // frames

    std::vector<Arrival> arrivals_;
    std::vector<std::size_t> free_ids_;
    std::int64_t under_way_ = 0;
    std::vector<FileRead> batch_;
    std::vector<FileReadEnd> ended_;
    std::unordered_map<std::int64_t, std::size_t> ahead_;  // by offset
    std::optional<Error> error_;

    // Of the pass.
    std::vector<PageRead> reads_;
    std::vector<std::int64_t> of_;  // arrival of each read; -1: not begun
    std::size_t next_ = 0;          // not begun
    std::size_t arrived_ = 0;
    std::size_t released_ = 0;
    StreamCounts counts_;
};

}  // namespace memside::engine
