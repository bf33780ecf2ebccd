#include "engine/page_pass.h"

#include <algorithm>

namespace memside::engine {
namespace {

// A wave of about this size takes a disk some hundreds of microseconds: long against starting a
// wave, short against a pass.
constexpr std::int64_t wave_bytes = std::int64_t{1} << 20;

}  // namespace

PagePass::PagePass(const KvStore& store, std::vector<std::int64_t> sizes,
                   std::span<const PageRef> refs, std::int64_t read_bytes)
    : sizes_(std::move(sizes)), stream_(store.stream()), read_bytes_(read_bytes) {
    if (std::ranges::none_of(refs, [](const PageRef& ref) { return ref.offset >= 0; })) return;
    std::vector<std::span<const PageRef>> lists;
    for (const std::int64_t size : sizes_) {
        lists.push_back(refs.first(static_cast<std::size_t>(size)));
        refs = refs.subspan(static_cast<std::size_t>(size));
    }
    const std::int64_t frames = stream_->frames(read_bytes);
    plan_.emplace(lists, frames, std::clamp<std::int64_t>(wave_bytes / read_bytes, 1, frames / 2));
}

}  // namespace memside::engine
