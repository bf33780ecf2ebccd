#include "pnm/functional_sort.h"

#include <rapidcheck/gtest.h>
#include <algorithm>
#include <numeric>

#include "pnm/devices.h"

namespace memside::pnm {
namespace {

std::vector<std::int32_t> reference(const std::vector<float>& scores, std::size_t k) {
    std::vector<std::int32_t> pages(scores.size());
    std::iota(pages.begin(), pages.end(), 0);
    std::stable_sort(pages.begin(), pages.end(), [&](std::int32_t a, std::int32_t b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    pages.resize(std::min(k, pages.size()));
    return pages;
}

RC_GTEST_PROP(FunctionalSort, the_k_best_are_those_of_a_stable_sort, ()) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 3000);
    const auto k = *rc::gen::inRange<std::size_t>(0, 3000);
    const std::size_t width = std::size_t{1} << *rc::gen::inRange(1, 7);
    // A small range gives many equal scores.
    const int range = *rc::gen::element(2, 50, 1 << 30);
    const auto drawn = *rc::gen::container<std::vector<int>>(
        count, rc::gen::resize(1000, rc::gen::inRange(-range, range)));
    const std::vector<float> scores(drawn.begin(), drawn.end());
    RC_ASSERT(merge_sort_top_k(scores, k, width).pages == reference(scores, k));
}

TEST(FunctionalSort, infinite_scores_and_sorted_inputs_are_ordered_too) {
    std::vector<float> scores(1000);
    std::iota(scores.begin(), scores.end(), 0.0F);
    scores[17] = INFINITY;
    scores[900] = -INFINITY;
    EXPECT_EQ(merge_sort_top_k(scores, 1000, 32).pages, reference(scores, 1000));
    std::reverse(scores.begin(), scores.end());
    EXPECT_EQ(merge_sort_top_k(scores, 1000, 32).pages, reference(scores, 1000));
}

TEST(FunctionalSort, its_cycles_are_those_of_the_operation_table) {
    const Devices devices;
    for (const std::size_t count : {2U, 31U, 33U, 1000U, 4096U, 32768U}) {
        std::vector<float> scores(count);
        for (std::size_t i = 0; i < count; ++i) scores[i] = static_cast<float>(i * 7919 % 997);
        const auto width = static_cast<std::size_t>(devices.spec.sort_width);
        const SortedPages sorted = merge_sort_top_k(scores, count / 4, width);
        const KernelTime time = devices.time(TopK{static_cast<double>(count), 1});
        EXPECT_NEAR(time.busy_s[index(Unit::sorter)] * devices.spec.clock_hz,
                    static_cast<double>(sorted.cycles), 1e-6)
            << count;
    }
}

}  // namespace
}  // namespace memside::pnm
