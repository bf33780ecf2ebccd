#include "cluster/pim_overlap.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace memside {
namespace {

// Blocks one by one: two heads in flight, taking turns; who is done makes room for the next head.
class Sequence {
  public:
    explicit Sequence(const PimBlocks& blocks) : blocks_(blocks) {
        for (Slot& slot : slots_) load(slot);
    }

    // False at the end. `head` tells heads apart.
    bool next(const PimBlock*& block, std::size_t& head) {
        Slot& slot = slots_[turn_].left() ? slots_[turn_] : slots_[1 - turn_];
        if (!slot.left()) return false;
        block = &blocks_[slot.block];
        head = slot.head;
        if (++slot.done == block->repeats) {
            slot.done = 0;
            if (++slot.block == slot.end) load(slot);
        }
        turn_ = 1 - turn_;
        return true;
    }

  private:
    struct Slot {
        std::size_t block = 0;
        std::size_t end = 0;
        std::size_t head = 0;
        std::int64_t done = 0;

        bool left() const { return block < end; }
    };

    void load(Slot& slot) {
        slot.block = next_;
        if (next_ == blocks_.size()) {
            slot.end = next_;
            return;
        }
        slot.head = next_++;
        while (next_ < blocks_.size() && !blocks_[next_].first) ++next_;
        slot.end = next_;
    }

    const PimBlocks& blocks_;
    std::array<Slot, 2> slots_;
    std::size_t next_ = 0;
    std::size_t turn_ = 0;
};

// Ends of a block's work.
struct Ends {
    const PimBlock* block = nullptr;
    std::size_t head = 0;
    double softmax = 0;
};

}  // namespace

OverlapTime overlapped(const PimBlocks& blocks) {
    OverlapTime time;
    double channels = 0;  // free from then on
    double hub = 0;
    Ends before;  // the block before, whose SV is not yet placed
    // When the partial sums of the last two placed were taken up.
    std::array<double, 2> taken_up{};
    std::array<Ends, 2> last_of_head;
    const auto finish = [&](Ends& ends) {
        channels = std::max({channels, ends.softmax, taken_up[0]}) + ends.block->sums_s;
        hub = std::max(hub, channels) + ends.block->accumulate_s;
        taken_up = {taken_up[1], hub};
    };
    Sequence sequence(blocks);
    const PimBlock* block = nullptr;
    std::size_t head = 0;
    while (sequence.next(block, head)) {
        time.channels_s += block->channels_s();
        time.hub_s += block->hub_s();
        double ready = 0;
        if (block->waits) {
            for (const Ends& ends : last_of_head) {
                if (ends.block != nullptr && ends.head == head) ready = ends.softmax;
            }
        }
        channels = std::max(channels, ready) + block->scores_s;
        Ends ends{block, head, 0};
        const double scored = channels;
        const bool same = before.block != nullptr && before.head == head;
        if (same) finish(before);
        hub = std::max(hub, scored) + block->softmax_s;
        ends.softmax = hub;
        if (before.block != nullptr && !same) finish(before);
        // The two blocks before any are of the two heads in flight, or of one that is alone.
        last_of_head[0] = last_of_head[1];
        last_of_head[1] = ends;
        before = ends;
    }
    if (before.block != nullptr) finish(before);
    time.time_s = std::max(channels, hub);
    return time;
}

}  // namespace memside
