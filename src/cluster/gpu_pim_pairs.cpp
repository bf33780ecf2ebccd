// Where the KV of GPU + PIM lies, and what a module does with it.
#include <algorithm>
#include <cmath>
#include <functional>
#include <queue>

#include "cluster/gpu_pim.h"
#include "pim/instruction.h"

namespace memside {
namespace {

constexpr double value_bytes = 2;  // bf16
// A row of all banks of one channel.
constexpr double channel_row_bytes =
    double{pim::bank_count} * pim::columns_per_row * pim::lanes * value_bytes;

}  // namespace

PimPairs deal_pairs(const ModelSpec& model, const Requests& requests, int modules) {
    Requests sorted = requests;
    std::sort(sorted.begin(), sorted.end(), [](const RequestGroup& a, const RequestGroup& b) {
        return a.context_tokens > b.context_tokens;
    });
    PimPairs pairs;
    pairs.contexts.resize(static_cast<std::size_t>(modules));
    using Load = std::pair<std::int64_t, std::size_t>;  // tokens, module
    std::priority_queue<Load, std::vector<Load>, std::greater<>> least;
    for (std::size_t m = 0; m < pairs.contexts.size(); ++m) least.emplace(0, m);
    for (const RequestGroup& group : sorted) {
        for (std::int64_t i = 0; i < group.count * model.kv_heads; ++i) {
            const auto [tokens, module] = least.top();
            least.pop();
            pairs.contexts[module].push_back(group.context_tokens);
            least.emplace(tokens + group.context_tokens + 1, module);
        }
    }
    return pairs;
}

double pair_bytes(const ModelSpec& model, const PimOptions& options, std::int64_t context) {
    const std::int64_t tokens = context + 1;
    const double token_bytes = model.head_dim * value_bytes;  // of keys, and of values
    const double regions = 2.0 * model.layers;
    if (options.access == PimAccess::reserved) {
        return regions * token_bytes * static_cast<double>(reserved_tokens(model, options, tokens));
    }
    const bool tcp = options.program.partition == PimPartition::tcp;
    const double row = channel_row_bytes * (tcp ? pim::channel_count : 1);
    return regions * std::ceil(token_bytes * static_cast<double>(tokens) / row) * row;
}

Result<PimModuleWork> attend_pairs(const ModelSpec& model, const PimModule& module,
                                   const PimOptions& options, PimKernels& kernels,
                                   const std::vector<std::int64_t>& contexts) {
    const bool tcp = options.program.partition == PimPartition::tcp;
    const std::size_t together = tcp ? 1 : std::size_t{pim::channel_count};
    // A kernel goes to the group of channels that is free first.
    std::vector<PimModuleWork> groups(static_cast<std::size_t>(module.channel_groups));
    const auto ends_first = [](const PimModuleWork& a, const PimModuleWork& b) {
        return a.aim_s + a.hub_s < b.aim_s + b.hub_s;
    };
    PimModuleWork sum;
    for (std::size_t first = 0; first < contexts.size(); first += together) {
        PimAttention shape;
        shape.pairs = static_cast<std::uint32_t>(std::min(together, contexts.size() - first));
        shape.group = static_cast<std::uint32_t>(model.group_size());
        shape.head_dim = static_cast<std::uint32_t>(model.head_dim);
        shape.tokens = contexts[first] + 1;  // in lockstep the longest decides
        MEMSIDE_TRY(const PimKernelTime time, kernels.attention(shape));
        PimModuleWork& group = *std::min_element(groups.begin(), groups.end(), ends_first);
        group.aim_s += time.time_s - time.hub_s;
        group.hub_s += time.hub_s;
        sum.kernels.add(time);
    }
    const PimModuleWork& last = *std::max_element(groups.begin(), groups.end(), ends_first);
    sum.aim_s = last.aim_s;
    sum.hub_s = last.hub_s;
    return sum;
}

}  // namespace memside
