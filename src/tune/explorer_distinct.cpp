// Learning from distinctive candidates, reconstructed from the abstract of Choi et al., arXiv
// 2202.06819 (docs/tuning.md says what is ours): every step of the annealing has several children
// of each parent, of which those most unlike each other go on, and the measured batch is thinned,
// so that what the model learns from is diverse.
#include <unordered_set>

#include "tune/model_explorer.h"

namespace memside::tune {
namespace {

class DistinctExplorer : public ModelExplorer {
  public:
    DistinctExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options)
        : ModelExplorer(std::move(candidates), options), distances_(space(), options.distance) {}

  private:
    // As many as there are parents; a child of two parents is the first one's.
    std::vector<Move> moves(const std::vector<CandidateId>& chains) override {
        std::vector<Move> pool;
        std::vector<CandidateId> ids;
        std::vector<float> scores;
        std::unordered_set<CandidateId> taken;
        for (std::size_t c = 0; c < chains.size(); ++c) {
            for (int m = 0; m < options().mutations; ++m) {
                const CandidateId child = space().mutate(chains[c], random());
                if (!taken.insert(child).second) continue;
                pool.push_back({c, child});
                ids.push_back(child);
                scores.push_back(predicted()[child]);
            }
        }
        std::vector<Move> kept;
        if (options().pool_by_distance) {
            for (const std::size_t i : most_distinct(distances_, ids, scores, chains.size())) {
                kept.push_back(pool[i]);
            }
            return kept;
        }
        std::stable_sort(pool.begin(), pool.end(), [&](const Move& a, const Move& b) {
            return predicted()[a.to] > predicted()[b.to];
        });
        pool.resize(std::min(pool.size(), chains.size()));
        return pool;
    }

    std::size_t list_size(std::size_t count) const override {
        return options().apart > 0 ? count * options().thin_ratio : count;
    }

    std::vector<CandidateId> batch(const std::vector<CandidateId>& list,
                                   std::size_t count) override {
        return options().apart > 0 ? thinned(distances_, list, options().apart, count) : list;
    }

    Distances distances_;
};

}  // namespace

std::unique_ptr<Explorer> make_distinct(std::shared_ptr<const Candidates> candidates,
                                        const ExplorerOptions& options) {
    return std::make_unique<DistinctExplorer>(std::move(candidates), options);
}

}  // namespace memside::tune
