#include "engine/kv_tier.h"

#include <algorithm>

#include "base/number.h"
#include "engine/page_sets.h"

namespace memside::engine {
namespace {

// A pass reads one page of all KV heads while another is attended.
constexpr std::int64_t min_frames = 2;
// A larger share of a small pool would be taken from pages that stay.
constexpr std::int64_t frame_share = 8;

// Pages that stay in memory, of each layer of a kind, for `bytes` of memory, which shrink.
void keep_first(const KvShape& shape, const std::vector<bool>& selecting, bool kind,
                std::int64_t& bytes, std::vector<std::int64_t>& first_pages) {
    std::vector<std::size_t> layers;
    for (std::size_t layer = 0; layer < selecting.size(); ++layer) {
        if (shape.kept_tokens[layer] == 0 && selecting[layer] == kind) layers.push_back(layer);
    }
    if (layers.empty()) return;
    const auto count = static_cast<std::int64_t>(layers.size());
    const std::int64_t pages = std::min(kv::page_count(shape.capacity_tokens, shape.page_tokens),
                                        bytes / (count * shape.whole_bytes()));
    for (const std::size_t layer : layers) first_pages[layer] = pages;
    bytes -= pages * count * shape.whole_bytes();
}

}  // namespace

Result<FileTier> share_pool(const KvTier& tier, KvShape shape, const std::vector<bool>& selecting,
                            int heads, std::int64_t open_tokens, KvPolicy& policy) {
    FileTier result;
    if (tier.folder.empty()) return result;
    shape.piece_alignment = direct_alignment;
    result.folder = tier.folder;
    result.reader = tier.reader;
    result.open_tokens = open_tokens;
    result.write_bytes = tier.write_bytes;
    result.first_pages.assign(selecting.size(), 0);

    const PageSets sets(policy.selection.select_per, heads, shape.kv_heads);
    const std::int64_t place =
        std::ranges::count(selecting, true) * sets.count() * sets.kv_heads() * shape.piece_bytes();
    const std::int64_t all = kv::page_count(shape.capacity_tokens, shape.page_tokens);
    const std::int64_t budget = policy.budget_pages(shape.page_tokens);
    const bool recalls = policy.variant->ranks_all_pages;
    std::int64_t needed = 0;
    std::int64_t wanted = 0;
    if (policy.variant->selects) {
        wanted = recalls ? 2 * budget : policy.pool_pages(shape.page_tokens, 1);
        needed = recalls ? budget : wanted;
    }
    needed = std::min(needed, all) * place;
    wanted = std::min(wanted, all) * place;

    const std::int64_t least = min_frames * shape.whole_bytes();
    const std::int64_t total =
        tier.pool_bytes > 0 ? tier.pool_bytes : std::max(least, default_frame_bytes) + wanted;
    if (total < least + needed) {
        return bad_input(
            "--kv-pool",
            fmt::format("{} are too few: a step needs {} for pages that it reads and {} for those "
                        "that {} keeps in memory, {}",
                        format_bytes(static_cast<double>(total)),
                        format_bytes(static_cast<double>(least)),
                        format_bytes(static_cast<double>(needed)), policy.variant->name,
                        format_bytes(static_cast<double>(least + needed))));
    }
    result.frame_bytes =
        tier.pool_bytes > 0
            ? std::min(std::clamp(total / frame_share, least, std::max(least, default_frame_bytes)),
                       total - needed)
            : total - wanted;
    std::int64_t rest = total - result.frame_bytes;
    if (place > 0) {
        const std::int64_t places = std::min(wanted, rest) / place;
        if (recalls) policy.pool_bytes = places * place;
        rest -= places * place;
    }
    keep_first(shape, selecting, false, rest, result.first_pages);
    keep_first(shape, selecting, true, rest, result.first_pages);
    return result;
}

}  // namespace memside::engine
