#include "kv/digest.h"

#include <array>
#include <cassert>
#include <cmath>

namespace memside::kv {
namespace {

constexpr std::array<DigestVariant, 4> variants{{
    {DigestKind::minmax, true, false, "smallest and largest key value per channel (Quest)",
     make_minmax_digest},
    {DigestKind::centre_max, false, true,
     "middle of min and max, radius: coefficient x largest deviation (ArkVale cuboid-max)",
     make_centre_max_digest},
    {DigestKind::centre_mad, false, true,
     "middle of min and max, radius: coefficient x mean absolute deviation (ArkVale cuboid-mean)",
     make_centre_mad_digest},
    {DigestKind::centre_std, false, true, "mean, radius: coefficient x standard deviation",
     make_centre_std_digest},
}};

}  // namespace

std::span<const DigestVariant> digest_variants() {
    return variants;
}

const DigestVariant& digest_variant(DigestKind kind) {
    const DigestVariant& variant = variants[static_cast<std::size_t>(kind)];
    assert(variant.kind == kind);
    return variant;
}

Status check_coefficient(DigestKind kind, double coefficient, const std::string& where) {
    if (!digest_variant(kind).takes_coefficient && coefficient != 1.0) {
        return bad_input(where, fmt::format("digest '{}' has no radius to scale; allowed: 1, or a "
                                            "centre-... digest",
                                            digest_kind_names()[static_cast<std::size_t>(kind)]));
    }
    // The upper limit keeps centre +- radius inside f16 for any keys a model produces.
    if (!(coefficient >= 0.0 && coefficient <= 16.0)) {
        return bad_input(where, fmt::format("{} is out of range; allowed: 0 to 16", coefficient));
    }
    return {};
}

float page_score(std::span<const float> query, std::span<const float> low,
                 std::span<const float> high) {
    assert(query.size() == low.size() && query.size() == high.size());
    double sum = 0.0;
    for (std::size_t i = 0; i < query.size(); ++i) {
        // Outward rounding may leave an infinite corner; 0 x infinity would poison the sum.
        if (query[i] == 0.0F) continue;
        const double q = query[i];
        sum += std::max(q * static_cast<double>(low[i]), q * static_cast<double>(high[i]));
    }
    return static_cast<float>(sum);
}

}  // namespace memside::kv
