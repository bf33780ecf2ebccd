// In which order a pass over lists of pages reads those that are in a file.
//
// A list is attended in its order: a thread goes on with it where the wave before has ended, so
// that results are the same, bit for bit, as those of pages that all lie in memory. Waves take from
// every list in turn; within a wave reads are in address order.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/page_stream.h"

namespace memside::engine {

// A page of a list.
struct PageRef {
    std::int64_t offset = -1;  // in the file; -1: it is in memory
    std::byte* to = nullptr;   // where it shall lie; null: wherever
};

class ReadPlan {
  public:
    // `frames` hold reads; `wave_reads` of them, at most half of the frames, make a wave.
    ReadPlan(std::span<const std::span<const PageRef>> lists, std::int64_t frames,
             std::int64_t wave_reads);

    // The first wave needs no reads: it is what lists begin with in memory.
    std::int64_t waves() const { return waves_; }
    // The pages of a list, [first, last), that a wave attends.
    std::pair<std::int64_t, std::int64_t> pages(std::int64_t list, std::int64_t wave) const {
        const auto& ends = ends_[static_cast<std::size_t>(list)];
        const auto at = static_cast<std::size_t>(wave);
        return {wave == 0 ? 0 : ends[at - 1], ends[at]};
    }
    // The read that a page of a list waits for; -1: it is in memory.
    std::int64_t read(std::int64_t list, std::int64_t page) const {
        return read_of_[static_cast<std::size_t>(list)][static_cast<std::size_t>(page)];
    }
    const std::vector<PageRead>& reads() const { return reads_; }
    // Whether frames hold all reads: a page of several lists is read once, and no frame may be
    // released before the end.
    bool holds_all() const { return holds_all_; }

  private:
    void plan_wave(std::span<const std::span<const PageRef>> lists, std::int64_t wave_reads);

    std::int64_t waves_ = 1;
    bool holds_all_ = false;
    std::vector<std::vector<std::int64_t>> ends_;     // [list][wave]
    std::vector<std::vector<std::int64_t>> read_of_;  // [list][page]
    std::vector<PageRead> reads_;
    std::unordered_map<std::int64_t, std::int64_t> known_;  // reads that pages may share, by offset
};

}  // namespace memside::engine
