#include "engine/read_plan.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace memside::engine {
namespace {

// Where pages in memory end that a list has from `page` on.
std::int64_t in_memory_until(std::span<const PageRef> list, std::int64_t page) {
    const auto size = static_cast<std::int64_t>(list.size());
    while (page < size && list[static_cast<std::size_t>(page)].offset < 0) ++page;
    return page;
}

}  // namespace

ReadPlan::ReadPlan(std::span<const std::span<const PageRef>> lists, std::int64_t frames,
                   std::int64_t wave_reads) {
    assert(wave_reads >= 1 && wave_reads <= frames / 2);
    std::int64_t wanted = 0;
    for (const auto& list : lists) {
        wanted += std::ranges::count_if(list, [](const PageRef& ref) { return ref.offset >= 0; });
        read_of_.emplace_back(list.size(), -1);
        ends_.push_back({in_memory_until(list, 0)});
    }
    // Half of the frames may be taken by what was read ahead.
    holds_all_ = wanted <= frames / 2;
    const auto unfinished = [&] {
        for (std::size_t i = 0; i < lists.size(); ++i) {
            if (ends_[i].back() < static_cast<std::int64_t>(lists[i].size())) return true;
        }
        return false;
    };
    while (unfinished()) plan_wave(lists, wave_reads);
}

void ReadPlan::plan_wave(std::span<const std::span<const PageRef>> lists, std::int64_t wave_reads) {
    if (!holds_all_) known_.clear();
    const auto first = static_cast<std::int64_t>(reads_.size());
    std::int64_t open = 0;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        if (ends_[i].back() < static_cast<std::int64_t>(lists[i].size())) ++open;
    }
    const std::int64_t share = std::max<std::int64_t>(wave_reads / open, 1);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        std::int64_t at = ends_[i].back();
        const auto size = static_cast<std::int64_t>(lists[i].size());
        for (std::int64_t taken = 0; at < size && taken < share; ++taken) {
            const PageRef& ref = lists[i][static_cast<std::size_t>(at)];
            // A page that shall lie somewhere is read there, whoever else wants it.
            const auto found = ref.to == nullptr ? known_.find(ref.offset) : known_.end();
            if (found == known_.end()) {
                const auto next = static_cast<std::int64_t>(reads_.size());
                if (next - first == wave_reads) break;
                if (ref.to == nullptr) known_.emplace(ref.offset, next);
                reads_.push_back({ref.offset, waves_, ref.to});
                read_of_[i][static_cast<std::size_t>(at)] = next;
            } else {
                read_of_[i][static_cast<std::size_t>(at)] = found->second;
            }
            at = in_memory_until(lists[i], at + 1);
        }
        ends_[i].push_back(at);
    }

    // In address order, and the pages follow.
    const auto count = static_cast<std::int64_t>(reads_.size()) - first;
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), first);
    std::ranges::sort(order, {}, [&](std::int64_t read) {
        return reads_[static_cast<std::size_t>(read)].offset;
    });
    std::vector<PageRead> sorted;
    std::vector<std::int64_t> place(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        sorted.push_back(reads_[static_cast<std::size_t>(order[i])]);
        place[static_cast<std::size_t>(order[i] - first)] = first + static_cast<std::int64_t>(i);
        if (sorted.back().to == nullptr) {
            known_[sorted.back().offset] = first + static_cast<std::int64_t>(i);
        }
    }
    std::ranges::copy(sorted, reads_.begin() + first);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto [from, to] = pages(static_cast<std::int64_t>(i), waves_);
        for (std::int64_t page = from; page < to; ++page) {
            std::int64_t& read = read_of_[i][static_cast<std::size_t>(page)];
            if (read >= first) read = place[static_cast<std::size_t>(read - first)];
        }
    }
    ++waves_;
}

}  // namespace memside::engine
