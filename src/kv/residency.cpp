#include "kv/residency.h"

#include <array>
#include <cassert>

namespace memside::kv {
namespace {

constexpr std::array<ResidencyVariant, 3> variants{{
    {"recall", recall_change, [](std::int64_t pool, std::int64_t) { return pool; }},
    {"steady", steady_change,
     [](std::int64_t pool, std::int64_t budget) { return std::min(pool, budget); }},
    {"none", no_change, [](std::int64_t, std::int64_t) { return std::int64_t{0}; }},
}};

}  // namespace

ResidencyChange no_change(std::span<const float>, std::span<const PageIndex>,
                          std::span<const PageIndex>, std::int64_t) {
    return {};
}

PageList resident_after(std::span<const PageIndex> resident, const ResidencyChange& change) {
    return pages_of_either(pages_without(resident, change.evicted), change.recalled);
}

std::span<const ResidencyVariant> residency_variants() {
    return variants;
}

const ResidencyVariant& residency_variant(std::string_view name) {
    const auto* found = std::ranges::find(variants, name, &ResidencyVariant::name);
    assert(found != variants.end());
    return *found;
}

}  // namespace memside::kv
