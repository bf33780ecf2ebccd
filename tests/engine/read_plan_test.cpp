#include "engine/read_plan.h"

#include <rapidcheck/gtest.h>

#include <map>
#include <set>

namespace memside::engine {
namespace {

using Lists = std::vector<std::vector<PageRef>>;

std::vector<std::span<const PageRef>> spans(const Lists& lists) {
    return {lists.begin(), lists.end()};
}

// Lists of pages in memory (-1) and in a file, some of them in several lists.
Lists some_lists() {
    Lists lists;
    for (const auto& list : *rc::gen::nonEmpty(rc::gen::container<std::vector<std::vector<int>>>(
             rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 40))))) {
        std::vector<PageRef> refs;
        for (const int page : list) refs.push_back({page < 0 ? -1 : page * std::int64_t{4096}});
        lists.push_back(refs);
    }
    return lists;
}

RC_GTEST_PROP(ReadPlan, every_page_is_attended_once_in_the_order_of_its_list_after_its_read, ()) {
    const Lists lists = some_lists();
    const auto frames = *rc::gen::inRange<std::int64_t>(2, 100);
    const auto wave_reads = *rc::gen::inRange<std::int64_t>(1, frames / 2 + 1);
    const ReadPlan plan(spans(lists), frames, wave_reads);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const auto list = static_cast<std::int64_t>(i);
        std::int64_t next = 0;
        for (std::int64_t wave = 0; wave < plan.waves(); ++wave) {
            const auto [first, last] = plan.pages(list, wave);
            RC_ASSERT(first == next);
            next = last;
            for (std::int64_t page = first; page < last; ++page) {
                const std::int64_t offset = lists[i][static_cast<std::size_t>(page)].offset;
                const std::int64_t read = plan.read(list, page);
                RC_ASSERT((read < 0) == (offset < 0));
                if (read < 0) continue;
                const PageRead& from = plan.reads()[static_cast<std::size_t>(read)];
                RC_ASSERT(from.offset == offset);
                // Frames of a wave are free after it unless all reads have one.
                RC_ASSERT((plan.holds_all() ? from.wave <= wave : from.wave == wave));
            }
        }
        RC_ASSERT(next == static_cast<std::int64_t>(lists[i].size()));
    }
}

RC_GTEST_PROP(ReadPlan, waves_fit_the_frames_and_read_in_address_order, ()) {
    const Lists lists = some_lists();
    const auto frames = *rc::gen::inRange<std::int64_t>(2, 100);
    const auto wave_reads = *rc::gen::inRange<std::int64_t>(1, frames / 2 + 1);
    const ReadPlan plan(spans(lists), frames, wave_reads);
    std::map<std::int64_t, std::vector<std::int64_t>> waves;
    std::set<std::int64_t> different;
    for (const PageRead& read : plan.reads()) {
        waves[read.wave].push_back(read.offset);
        different.insert(read.offset);
    }
    RC_ASSERT(std::ranges::is_sorted(plan.reads(), {}, &PageRead::wave));
    for (const auto& [wave, offsets] : waves) {
        // Wave 0 needs none; nor does one whose pages others have read already.
        RC_ASSERT(wave > 0);
        RC_ASSERT(wave < plan.waves());
        RC_ASSERT(static_cast<std::int64_t>(offsets.size()) <= wave_reads);
        RC_ASSERT(std::ranges::is_sorted(offsets));
        RC_ASSERT(std::ranges::adjacent_find(offsets) == offsets.end());
    }
    if (plan.holds_all()) RC_ASSERT(plan.reads().size() == different.size());
}

TEST(ReadPlan, the_first_wave_is_what_lists_begin_with_in_memory) {
    const Lists lists{{{-1}, {-1}, {8192}, {-1}}, {{0}}, {{-1}}};
    const ReadPlan plan(spans(lists), 8, 4);
    EXPECT_EQ(plan.waves(), 2);
    EXPECT_EQ(plan.pages(0, 0), (std::pair<std::int64_t, std::int64_t>{0, 2}));
    EXPECT_EQ(plan.pages(0, 1), (std::pair<std::int64_t, std::int64_t>{2, 4}));
    EXPECT_EQ(plan.pages(1, 0), (std::pair<std::int64_t, std::int64_t>{0, 0}));
    EXPECT_EQ(plan.pages(2, 1), (std::pair<std::int64_t, std::int64_t>{1, 1}));
}

TEST(ReadPlan, a_page_that_shall_lie_in_two_places_is_read_into_both) {
    std::byte places[2];
    const Lists lists{{{4096, &places[0]}}, {{4096, &places[1]}}, {{4096}}, {{4096}}};
    const ReadPlan plan(spans(lists), 100, 50);
    std::set<std::byte*> to;
    for (const PageRead& read : plan.reads()) to.insert(read.to);
    EXPECT_EQ(plan.reads().size(), 3U);
    EXPECT_EQ(to, (std::set<std::byte*>{nullptr, &places[0], &places[1]}));
    EXPECT_EQ(plan.read(2, 0), plan.read(3, 0));
}

}  // namespace
}  // namespace memside::engine
