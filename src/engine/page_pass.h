// A pass of attention over lists of pages, some of which may have to be read from the store's file:
// in waves, each of which is attended while the next ones are being read. When all pages are in
// memory there is one wave of everything.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "engine/kv_store.h"
#include "engine/read_plan.h"

namespace memside::engine {

class PagePass {
  public:
    // `sizes`: pages of each list. `refs`: where those of all lists lie, one list after the other;
    // empty when all are in memory. A read takes `read_bytes`: a page of a KV head, or of all.
    PagePass(const KvStore& store, std::vector<std::int64_t> sizes, std::span<const PageRef> refs,
             std::int64_t read_bytes);

    // Calls attend(wave) for each wave once its pages are there. The error is that of a page that
    // could not be read.
    template <typename Attend>
    Status run(const Attend& attend) {
        if (!plan_) {
            attend(std::int64_t{0});
            return {};
        }
        stream_->begin(plan_->reads(), read_bytes_);
        for (std::int64_t wave = 0; wave < plan_->waves(); ++wave) {
            MEMSIDE_CHECK(stream_->arrive(wave));
            attend(wave);
            if (!plan_->holds_all()) stream_->release(wave);
        }
        stream_->end();
        return {};
    }

    bool last(std::int64_t wave) const { return !plan_ || wave + 1 == plan_->waves(); }

    // The pages of a list, [first, last), that a wave attends.
    std::pair<std::int64_t, std::int64_t> pages(std::int64_t list, std::int64_t wave) const {
        if (!plan_) return {0, sizes_[static_cast<std::size_t>(list)]};
        return plan_->pages(list, wave);
    }

    // Where a page of the present wave has been read to; null when it has always been in memory.
    const std::byte* at(std::int64_t list, std::int64_t page) const {
        if (!plan_) return nullptr;
        const std::int64_t read = plan_->read(list, page);
        return read < 0 ? nullptr : stream_->at(read);
    }

  private:
    std::vector<std::int64_t> sizes_;
    PageStream* stream_ = nullptr;
    std::int64_t read_bytes_ = 0;
    std::optional<ReadPlan> plan_;
};

}  // namespace memside::engine
