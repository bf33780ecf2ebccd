// Coordinate descent: from the best candidate to the best of those that are one step along one knob
// away, until none is better; then again from a random one.
#include "tune/explorer.h"

namespace memside::tune {
namespace {

class DropletExplorer : public Explorer {
  public:
    DropletExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options)
        : Explorer(std::move(candidates), options) {}

  private:
    std::vector<CandidateId> choose(std::size_t count) override {
        if (observations().empty()) return restart();
        if (!at_) at_ = best();
        // A start that is still being measured: from the best meanwhile.
        if (score(*at_) < 0) at_ = best();
        for (;;) {
            CandidateId next = *at_;
            std::vector<CandidateId> open;
            for (const CandidateId id : neighbours(*at_)) {
                if (is_unseen(id)) open.push_back(id);
                if (score(id) > score(next)) next = id;
            }
            if (next != *at_) {
                at_ = next;
                continue;
            }
            if (open.empty()) return restart();
            open.resize(std::min(open.size(), count));
            return open;
        }
    }

    std::vector<CandidateId> restart() {
        at_ = random_unseen();
        return {*at_};
    }

    // The next valid other candidate up and down each knob, each once.
    std::vector<CandidateId> neighbours(CandidateId id) const {
        std::vector<CandidateId> list;
        const std::vector<Knob>& knobs = space().knobs();
        for (std::size_t k = 0; k < knobs.size(); ++k) {
            for (const int step : {-1, 1}) {
                int value = space().point(id)[k] + step;
                for (; value >= 0 && value < static_cast<int>(knobs[k].values.size());
                     value += step) {
                    const auto found = space().with(id, k, static_cast<std::size_t>(value));
                    if (!found || *found == id) continue;
                    if (std::find(list.begin(), list.end(), *found) == list.end()) {
                        list.push_back(*found);
                    }
                    break;
                }
            }
        }
        return list;
    }

    std::optional<CandidateId> at_;
};

}  // namespace

std::unique_ptr<Explorer> make_droplet(std::shared_ptr<const Candidates> candidates,
                                       const ExplorerOptions& options) {
    return std::make_unique<DropletExplorer>(std::move(candidates), options);
}

}  // namespace memside::tune
