#include "tune/model_explorer.h"

#include <cmath>

namespace memside::tune {
namespace {

// AutoTVM's.
constexpr std::size_t chain_count = 128;
constexpr int most_steps = 500;
constexpr int patience_steps = 50;
constexpr double first_temperature = 1.0;
constexpr double last_temperature = 0.0;
constexpr double random_share = 0.05;  // 3 of 64

// The candidates of the largest scores among those offered, each once.
class BestList {
  public:
    explicit BestList(std::size_t limit) : limit_(limit) {}

    // Whether the list changed.
    bool offer(CandidateId id, float score) {
        if (entries_.size() == limit_ && score <= entries_.rbegin()->score) return false;
        if (!entries_.insert({score, id}).second) return false;
        if (entries_.size() > limit_) entries_.erase(std::prev(entries_.end()));
        return true;
    }

    std::vector<CandidateId> best_first() const {
        std::vector<CandidateId> ids;
        for (const Entry& entry : entries_) ids.push_back(entry.id);
        return ids;
    }

  private:
    struct Entry {
        float score;
        CandidateId id;
        bool operator<(const Entry& other) const {
            return score != other.score ? score > other.score : id < other.id;
        }
    };
    std::size_t limit_;
    std::set<Entry> entries_;
};

}  // namespace

ModelExplorer::ModelExplorer(std::shared_ptr<const Candidates> candidates,
                             const ExplorerOptions& options)
    : Explorer(std::move(candidates), options) {
    for (const CostModelKind& kind : cost_models()) {
        if (kind.name == options.model) model_ = kind.make(space().features());
    }
}

bool ModelExplorer::learn() {
    double top = 0;
    for (const Observation& o : observations()) top = std::max(top, o.score);
    if (top <= 0) return false;
    std::vector<std::uint32_t> rows;
    std::vector<float> scores;
    for (const Observation& o : observations()) {
        rows.push_back(o.candidate);
        scores.push_back(static_cast<float>(o.score / top));
    }
    model_->fit(rows, scores, options().plan);
    predicted_ = model_->predict();
    learned_ = rows.size();
    return true;
}

std::vector<CandidateId> ModelExplorer::choose(std::size_t count) {
    const bool lesson_due = learned_ == 0 || observations().size() >= learned_ + options().plan;
    if (lesson_due) planned_.clear();
    if (planned_.empty() && learn()) {
        planned_ = anneal(options().plan);
        std::reverse(planned_.begin(), planned_.end());
    }
    std::vector<CandidateId> chosen;
    const auto random_ones =
        static_cast<std::size_t>(random_share * static_cast<double>(options().plan));
    const std::size_t guided = count - std::min(count, count * random_ones / options().plan);
    while (chosen.size() < guided && !planned_.empty()) {
        if (is_unseen(planned_.back())) chosen.push_back(planned_.back());
        planned_.pop_back();
    }
    fill(chosen, count);
    return chosen;
}

std::vector<CandidateId> ModelExplorer::anneal(std::size_t count) {
    if (chains_.empty()) {
        for (std::size_t c = 0; c < chain_count; ++c) {
            chains_.push_back(static_cast<CandidateId>(random().below(space().size())));
        }
    }
    BestList list(std::min(list_size(count), unseen()));
    const auto offer = [&](CandidateId id) {
        return is_unseen(id) && list.offer(id, predicted_[id]);
    };
    for (const CandidateId id : chains_) offer(id);
    double temperature = first_temperature;
    const double cooling = (first_temperature - last_temperature) / (most_steps + 1);
    int last_change = 0;
    for (int step = 0; step < most_steps && step < last_change + patience_steps; ++step) {
        for (const Move& move : moves(chains_)) {
            const double gain = static_cast<double>(predicted_[move.to]) -
                                static_cast<double>(predicted_[chains_[move.chain]]);
            if (offer(move.to)) last_change = step;
            const double chance = std::exp(std::min(gain / (temperature + 1e-5), 1.0));
            if (random().uniform() < chance) chains_[move.chain] = move.to;
        }
        temperature -= cooling;
    }
    return batch(list.best_first(), count);
}

}  // namespace memside::tune
