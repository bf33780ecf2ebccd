#include "tune/explorer.h"

#include <cassert>
#include <numeric>
#include <unordered_set>

namespace memside::tune {

Explorer::Explorer(std::shared_ptr<const Candidates> candidates, const ExplorerOptions& options)
    : candidates_(std::move(candidates)),
      options_(options),
      random_(random_stream(options.seed, Stream::explorer)),
      unseen_(candidates_->size()),
      place_(candidates_->size()),
      scores_(candidates_->size(), -1.0) {
    std::iota(unseen_.begin(), unseen_.end(), CandidateId{0});
    std::iota(place_.begin(), place_.end(), std::uint32_t{0});
}

std::vector<CandidateId> Explorer::propose(std::size_t count) {
    const std::size_t wanted = std::min(count, unseen_.size());
    if (wanted == 0) return {};
    std::vector<CandidateId> chosen = choose(wanted);
    assert(!chosen.empty() && chosen.size() <= wanted);
    for (const CandidateId id : chosen) {
        assert(is_unseen(id));
        see(id);
    }
    return chosen;
}

void Explorer::observe(std::span<const Observation> results) {
    for (const Observation& result : results) {
        assert(result.score >= 0 && scores_[result.candidate] < 0);
        if (is_unseen(result.candidate)) see(result.candidate);
        scores_[result.candidate] = result.score;
        observations_.push_back(result);
    }
}

void Explorer::fill(std::vector<CandidateId>& chosen, std::size_t count) {
    std::unordered_set<CandidateId> taken(chosen.begin(), chosen.end());
    while (chosen.size() < std::min(count, unseen_.size())) {
        const CandidateId id = random_unseen();
        if (taken.insert(id).second) chosen.push_back(id);
    }
}

CandidateId Explorer::best() const {
    assert(!observations_.empty());
    return std::max_element(
               observations_.begin(), observations_.end(),
               [](const Observation& a, const Observation& b) { return a.score < b.score; })
        ->candidate;
}

void Explorer::see(CandidateId id) {
    // The last one takes its place; what is not in the list has a place beyond any list.
    const std::uint32_t place = place_[id];
    unseen_[place] = unseen_.back();
    place_[unseen_[place]] = place;
    unseen_.pop_back();
    place_[id] = std::numeric_limits<std::uint32_t>::max();
}

std::vector<CandidateId> first_batch(const Candidates& candidates, std::uint64_t seed,
                                     std::size_t count) {
    Random random = random_stream(seed, Stream::first_batch);
    std::vector<CandidateId> ids(candidates.size());
    std::iota(ids.begin(), ids.end(), CandidateId{0});
    random.shuffle(ids);
    ids.resize(std::min(count, ids.size()));
    return ids;
}

}  // namespace memside::tune
