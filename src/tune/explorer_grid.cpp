// A grid that becomes finer: first the candidates whose knobs all have their first or last value,
// then those that the values halfway between add, and so on.
#include <numeric>

#include "tune/listed_explorer.h"

namespace memside::tune {
namespace {

// How often [0, count - 1] is halved until its value `index` is an end of a part.
int refinement(std::size_t index, std::size_t count) {
    std::size_t low = 0;
    std::size_t high = count - 1;
    int level = 0;
    while (index != low && index != high) {
        const std::size_t middle = low + (high - low) / 2;
        (index < middle ? high : low) = middle;
        if (index == middle) return level + 1;
        ++level;
    }
    return level;
}

}  // namespace

std::unique_ptr<Explorer> make_grid(std::shared_ptr<const Candidates> candidates,
                                    const ExplorerOptions& options) {
    const std::vector<Knob>& knobs = candidates->knobs();
    std::vector<int> level(candidates->size(), 0);
    for (CandidateId id = 0; id < candidates->size(); ++id) {
        const Point& point = candidates->point(id);
        for (std::size_t k = 0; k < knobs.size(); ++k) {
            level[id] = std::max(level[id], refinement(point[k], knobs[k].values.size()));
        }
    }
    std::vector<CandidateId> order(candidates->size());
    std::iota(order.begin(), order.end(), CandidateId{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](CandidateId a, CandidateId b) { return level[a] < level[b]; });
    return std::make_unique<ListedExplorer>(std::move(candidates), options, std::move(order));
}

}  // namespace memside::tune
