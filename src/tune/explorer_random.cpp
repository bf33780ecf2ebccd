#include "tune/explorer.h"

namespace memside::tune {
namespace {

class RandomExplorer : public Explorer {
  public:
    RandomExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options)
        : Explorer(std::move(candidates), options) {}

  private:
    std::vector<CandidateId> choose(std::size_t count) override {
        std::vector<CandidateId> chosen;
        fill(chosen, count);
        return chosen;
    }
};

}  // namespace

std::unique_ptr<Explorer> make_random(std::shared_ptr<const Candidates> candidates,
                                      const ExplorerOptions& options) {
    return std::make_unique<RandomExplorer>(std::move(candidates), options);
}

}  // namespace memside::tune
