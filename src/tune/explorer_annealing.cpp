// AutoTVM's search: each chain changes one knob a step, and the best predicted candidates are
// measured; with its filter, those of a longer list that add most values of knobs.
#include "tune/model_explorer.h"

namespace memside::tune {
namespace {

class AnnealingExplorer : public ModelExplorer {
  public:
    AnnealingExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options,
                      bool filter)
        : ModelExplorer(std::move(candidates), options), filter_(filter) {}

  private:
    std::vector<Move> moves(const std::vector<CandidateId>& chains) override {
        std::vector<Move> list;
        for (std::size_t c = 0; c < chains.size(); ++c) {
            list.push_back({c, space().mutate(chains[c], random())});
        }
        return list;
    }

    std::size_t list_size(std::size_t count) const override {
        return filter_ ? count * options().filter_ratio : count;
    }

    std::vector<CandidateId> batch(const std::vector<CandidateId>& list,
                                   std::size_t count) override {
        return filter_ ? most_new_values(space(), list, count) : list;
    }

    bool filter_;
};

}  // namespace

std::unique_ptr<Explorer> make_annealing(std::shared_ptr<const Candidates> candidates,
                                         const ExplorerOptions& options) {
    return std::make_unique<AnnealingExplorer>(std::move(candidates), options, false);
}

std::unique_ptr<Explorer> make_annealing_filter(std::shared_ptr<const Candidates> candidates,
                                                const ExplorerOptions& options) {
    return std::make_unique<AnnealingExplorer>(std::move(candidates), options, true);
}

}  // namespace memside::tune
