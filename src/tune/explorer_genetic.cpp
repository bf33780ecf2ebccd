// Crossover and mutation: children of the best candidates so far, parents drawn in proportion to
// their scores. A population is a plan; half of it are parents. One value in ten mutates, as in
// AutoTVM's GATuner.
#include <unordered_set>

#include "tune/explorer.h"

namespace memside::tune {
namespace {

constexpr double mutation_share = 0.1;
constexpr int most_draws = 64;  // for a child that is valid and new

class GeneticExplorer : public Explorer {
  public:
    GeneticExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options)
        : Explorer(std::move(candidates), options) {}

  private:
    std::vector<CandidateId> choose(std::size_t count) override {
        std::vector<CandidateId> chosen;
        const std::vector<Observation> parents = best_ones();
        std::unordered_set<CandidateId> taken;
        while (!parents.empty() && chosen.size() < count) {
            std::optional<CandidateId> child;
            for (int draw = 0; draw < most_draws && !child; ++draw) {
                child = space().find(child_of(pick(parents), pick(parents)));
                if (child && (!is_unseen(*child) || taken.contains(*child))) child.reset();
            }
            if (!child) break;  // the neighbourhood is used up: random ones bring in other values
            taken.insert(*child);
            chosen.push_back(*child);
        }
        fill(chosen, count);
        return chosen;
    }

    std::vector<Observation> best_ones() const {
        std::vector<Observation> ranked;
        for (const Observation& o : observations()) {
            if (o.score > 0) ranked.push_back(o);
        }
        std::stable_sort(
            ranked.begin(), ranked.end(),
            [](const Observation& a, const Observation& b) { return a.score > b.score; });
        ranked.resize(std::min(ranked.size(), std::max<std::size_t>(2, options().plan / 2)));
        return ranked;
    }

    const Point& pick(const std::vector<Observation>& parents) {
        double sum = 0;
        for (const Observation& parent : parents) sum += parent.score;
        double left = random().uniform() * sum;
        for (const Observation& parent : parents) {
            left -= parent.score;
            if (left < 0) return space().point(parent.candidate);
        }
        return space().point(parents.back().candidate);
    }

    // The first knobs of one, the others of the other.
    Point child_of(const Point& one, const Point& other) {
        const std::vector<Knob>& knobs = space().knobs();
        const std::size_t cut = random().below(knobs.size() + 1);
        Point child(knobs.size());
        for (std::size_t k = 0; k < knobs.size(); ++k) {
            child[k] = k < cut ? one[k] : other[k];
            if (random().uniform() < mutation_share) {
                child[k] = static_cast<std::uint8_t>(random().below(knobs[k].values.size()));
            }
        }
        return child;
    }
};

}  // namespace

std::unique_ptr<Explorer> make_genetic(std::shared_ptr<const Candidates> candidates,
                                       const ExplorerOptions& options) {
    return std::make_unique<GeneticExplorer>(std::move(candidates), options);
}

}  // namespace memside::tune
