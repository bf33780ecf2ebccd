#include "cluster/layer_timeline.h"

#include <algorithm>
#include <limits>

namespace memside {
namespace {

// "PNM 3" and "device link 3 up" stand beside a "PNM 0" that does the same.
bool is_first_of_its_kind(const std::string& resource) {
    const std::size_t digit = resource.find_first_of("0123456789");
    if (digit == std::string::npos) return true;
    return std::stoull(resource.substr(digit, 18)) == 0;
}

}  // namespace

std::optional<SimulationResult::LayerTimeline> layer_timeline(const SimulationResult& result) {
    int last_layer = -1;
    for (const TimelineTask& task : result.timeline) last_layer = std::max(last_layer, task.layer);
    if (last_layer < 0) return std::nullopt;
    SimulationResult::LayerTimeline out;
    out.layer = last_layer / 2;

    double start_s = std::numeric_limits<double>::infinity();
    double end_s = 0;
    for (const TimelineTask& task : result.timeline) {
        if (task.layer != out.layer) continue;
        start_s = std::min(start_s, task.start_s);
        end_s = std::max(end_s, task.start_s + task.duration_s);
    }
    std::vector<int> row(result.timeline_resources.size(), -1);
    for (std::size_t r = 0; r < row.size(); ++r) {
        const std::string& name = result.timeline_resources[r];
        const bool used = std::any_of(
            result.timeline.begin(), result.timeline.end(), [&](const TimelineTask& task) {
                return task.resource == static_cast<int>(r) && task.start_s < end_s &&
                       task.start_s + task.duration_s > start_s;
            });
        if (!used || !is_first_of_its_kind(name)) continue;
        row[r] = static_cast<int>(out.resources.size());
        out.resources.push_back(name);
    }
    for (TimelineTask task : result.timeline) {
        task.resource = row[static_cast<std::size_t>(task.resource)];
        const double from_s = std::max(task.start_s, start_s);
        const double to_s = std::min(task.start_s + task.duration_s, end_s);
        if (task.resource < 0 || from_s >= to_s) continue;
        task.start_s = from_s - start_s;
        task.duration_s = to_s - from_s;
        out.tasks.push_back(std::move(task));
    }
    return out;
}

}  // namespace memside
