// How much of attention a selection keeps: of the softmax over all tokens, the share that lies in
// the selected pages, beside the most that as many pages could hold.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/decoder_observer.h"
#include "engine/policy_attention.h"

namespace memside::eval {

// Means over query heads, selecting layers and steps. A head's share is of one, whatever its size.
struct MassMeans {
    double selected = 0.0;
    // Of as many pages for each set, those with the largest sum of its heads' shares: what a digest
    // that knew all keys would choose.
    double best = 0.0;
};

// Reads every key of a layer once more, in one thread: about the time of a dense step's attention.
class MassMeter final : public engine::DecoderObserver {
  public:
    MassMeter(const engine::KvStore& store, int heads);

    // A selecting layer has attended.
    Status selected(const engine::AttentionCall& call,
                    const engine::PolicyAttention& attention) override;

    MassMeans means() const;
    void clear() {
        selected_ = best_ = 0.0;
        heads_seen_ = 0;
    }

    // Of the last selected(): the shares of a query head, f64 [pages].
    const std::vector<double>& shares(int head) const {
        return shares_[static_cast<std::size_t>(head)];
    }

  private:
    void weigh(const engine::AttentionCall& call, std::int64_t pages);

    const engine::KvStore& store_;
    int heads_;
    std::vector<std::vector<double>> shares_;  // [heads][pages]
    std::vector<float> memory_;
    double selected_ = 0.0;
    double best_ = 0.0;
    std::int64_t heads_seen_ = 0;
};

}  // namespace memside::eval
