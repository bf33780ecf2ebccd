#include "cluster/batch.h"

#include <algorithm>
#include <numeric>
#include <queue>

namespace memside {

std::int64_t request_count(const Requests& requests) {
    return std::accumulate(
        requests.begin(), requests.end(), std::int64_t{0},
        [](std::int64_t sum, const RequestGroup& group) { return sum + group.count; });
}

double mean_context(const Requests& requests) {
    double tokens = 0.0;
    for (const RequestGroup& group : requests) {
        tokens += static_cast<double>(group.context_tokens) * static_cast<double>(group.count);
    }
    return tokens / static_cast<double>(std::max<std::int64_t>(1, request_count(requests)));
}

double mean_kept_tokens(const ModelSpec& model, int layer, const Requests& requests) {
    Requests kept = requests;
    for (RequestGroup& group : kept) {
        group.context_tokens = model.kept_tokens(layer, group.context_tokens);
    }
    return mean_context(kept);
}

namespace {

void give(Requests& device, std::int64_t context_tokens) {
    if (!device.empty() && device.back().context_tokens == context_tokens) {
        ++device.back().count;
    } else {
        device.push_back({context_tokens, 1});
    }
}

std::vector<Requests> in_turn(const Requests& requests, int devices) {
    std::vector<Requests> by_device(static_cast<std::size_t>(devices));
    std::size_t next = 0;
    for (const RequestGroup& group : requests) {
        for (std::int64_t i = 0; i < group.count; ++i) {
            give(by_device[next], group.context_tokens);
            next = (next + 1) % by_device.size();
        }
    }
    return by_device;
}

}  // namespace

std::vector<Requests> place(const Requests& requests, int devices, Placement placement,
                            const std::function<double(std::int64_t)>& load) {
    if (placement == Placement::round_robin || requests.size() == 1) {
        return in_turn(requests, devices);
    }
    Requests sorted = requests;
    std::sort(sorted.begin(), sorted.end(), [](const RequestGroup& a, const RequestGroup& b) {
        return a.context_tokens > b.context_tokens;
    });
    std::vector<Requests> by_device(static_cast<std::size_t>(devices));
    using Loaded = std::pair<double, std::size_t>;  // ties: the first device
    std::priority_queue<Loaded, std::vector<Loaded>, std::greater<>> least;
    for (std::size_t d = 0; d < by_device.size(); ++d) least.emplace(0.0, d);
    for (const RequestGroup& group : sorted) {
        for (std::int64_t i = 0; i < group.count; ++i) {
            const auto [loaded, device] = least.top();
            least.pop();
            give(by_device[device], group.context_tokens);
            least.emplace(loaded + load(group.context_tokens), device);
        }
    }
    return by_device;
}

}  // namespace memside
