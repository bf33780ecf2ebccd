// An explorer whose order is settled before anything is measured.
#pragma once

#include "tune/explorer.h"

namespace memside::tune {

class ListedExplorer : public Explorer {
  public:
    // `order` has every candidate once.
    ListedExplorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options,
                   std::vector<CandidateId> order)
        : Explorer(std::move(candidates), options), order_(std::move(order)) {}

  private:
    std::vector<CandidateId> choose(std::size_t count) override {
        std::vector<CandidateId> chosen;
        for (; chosen.size() < count; ++next_) {
            if (is_unseen(order_[next_])) chosen.push_back(order_[next_]);
        }
        return chosen;
    }

    std::vector<CandidateId> order_;
    std::size_t next_ = 0;
};

}  // namespace memside::tune
