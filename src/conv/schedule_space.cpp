#include <algorithm>

#include "conv/schedule.h"

namespace memside::conv {
namespace {

bool before(const Schedule& a, const Schedule& b) {
    return a.knobs() < b.knobs();
}

}  // namespace

ScheduleSpace::ScheduleSpace(const ConvProblem& problem, Target target)
    : problem_(problem), target_(target) {
    if (!check(problem, "").ok()) return;
    const auto knobs = schedule_knobs();
    std::vector<Schedule> all;
    std::array<std::size_t, knob_count> digits{};
    for (bool more = true; more;) {
        KnobVector values{};
        for (std::size_t i = 0; i < knob_count; ++i) values[i] = knobs[i].values[digits[i]];
        all.push_back(canonical(problem, target, Schedule::from(values)));
        more = false;
        for (std::size_t i = knob_count; i-- > 0 && !more;) {
            digits[i] = (digits[i] + 1) % knobs[i].values.size();
            more = digits[i] != 0;
        }
    }
    std::sort(all.begin(), all.end(), before);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::copy_if(all.begin(), all.end(), std::back_inserter(points_),
                 [&](const Schedule& point) { return valid(problem, target, point).ok(); });
}

std::int64_t ScheduleSpace::index(const Schedule& schedule) const {
    if (points_.empty()) return -1;
    const Schedule point = canonical(problem_, target_, schedule);
    const auto found = std::lower_bound(points_.begin(), points_.end(), point, before);
    if (found == points_.end() || !(*found == point)) return -1;
    return found - points_.begin();
}

}  // namespace memside::conv
