// What explorers that are guided by a cost model share: lessons every plan, and simulated annealing
// on the model's scores (AutoTVM's: python/tvm/autotvm/tuner/model_based_tuner.py and
// sa_model_optimizer.py).
#pragma once

#include <set>
#include <unordered_set>

#include "tune/explorer.h"

namespace memside::tune {

class ModelExplorer : public Explorer {
  protected:
    ModelExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options);

    // One chain's next candidate, to be accepted or not.
    struct Move {
        std::size_t chain;
        CandidateId to;
    };
    // The moves of one step of the annealing.
    virtual std::vector<Move> moves(const std::vector<CandidateId>& chains) = 0;
    // Of the unseen candidates that the annealing came upon, how many of the best to keep for a
    // batch of `count`, and which of them (best first) to measure.
    virtual std::size_t list_size(std::size_t count) const = 0;
    virtual std::vector<CandidateId> batch(const std::vector<CandidateId>& list,
                                           std::size_t count) = 0;

    // The model's scores, a number per candidate.
    const std::vector<float>& predicted() const { return predicted_; }

  private:
    std::vector<CandidateId> choose(std::size_t count) final;
    // Whether there is anything to learn from.
    bool learn();
    std::vector<CandidateId> anneal(std::size_t count);

    std::unique_ptr<CostModel> model_;
    std::vector<float> predicted_;
    std::size_t learned_ = 0;           // observations that the model knows
    std::vector<CandidateId> chains_;   // stay from plan to plan
    std::vector<CandidateId> planned_;  // what the last plan has left, the next one at the back
};

}  // namespace memside::tune
