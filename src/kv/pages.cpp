#include "kv/pages.h"

#include <iterator>

namespace memside::kv {

bool is_page_list(std::span<const PageIndex> pages) {
    return std::adjacent_find(pages.begin(), pages.end(), std::greater_equal<>()) == pages.end();
}

PageList pages_without(std::span<const PageIndex> a, std::span<const PageIndex> b) {
    PageList result;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
    return result;
}

std::int64_t count_without(std::span<const PageIndex> a, std::span<const PageIndex> b) {
    // Branch-free merge: which list advances is close to random, and a mispredicted branch per page
    // would cost more than the rest of the step.
    std::size_t i = 0;
    std::size_t j = 0;
    std::size_t shared = 0;
    while (i < a.size() && j < b.size()) {
        const PageIndex left = a[i];
        const PageIndex right = b[j];
        shared += left == right ? 1U : 0U;
        i += left <= right ? 1U : 0U;
        j += right <= left ? 1U : 0U;
    }
    return static_cast<std::int64_t>(a.size() - shared);
}

PageList pages_of_either(std::span<const PageIndex> a, std::span<const PageIndex> b) {
    PageList result;
    result.reserve(a.size() + b.size());
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
    return result;
}

}  // namespace memside::kv
