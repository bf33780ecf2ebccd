// The reference: every candidate, so that its best is the space's best.
#include <numeric>

#include "tune/listed_explorer.h"

namespace memside::tune {

std::unique_ptr<Explorer> make_exhaustive(std::shared_ptr<const Candidates> candidates,
                                          const ExplorerOptions& options) {
    std::vector<CandidateId> order(candidates->size());
    std::iota(order.begin(), order.end(), CandidateId{0});
    return std::make_unique<ListedExplorer>(std::move(candidates), options, std::move(order));
}

}  // namespace memside::tune
