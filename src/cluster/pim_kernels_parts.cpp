#include "cluster/pim_kernels_parts.h"

#include <cmath>

namespace memside {
namespace {

class BlockReader {
  public:
    PimBlocks read(const std::vector<pim::Stretch>& stretches) {
        for (const pim::Stretch& stretch : stretches) {
            stretch.hub ? hub(stretch) : channels(stretch.ns * 1e-9);
        }
        if (stage_ != Stage::scores) end_block();
        return std::move(blocks_);
    }

  private:
    enum class Stage : std::uint8_t { scores, softmax, sums, accumulate };

    void hub(const pim::Stretch& stretch) {
        const double time_s = stretch.ns * 1e-9;
        using enum pim::HubOp;
        // What the new token and the queries need stands between the channels' commands.
        const bool before = stretch.op == merge || stretch.op == softmax_start ||
                            stretch.op == add || stretch.op == fill;
        if (stage_ == Stage::scores && before) {
            block_.first = true;
            block_.scores_s += time_s;
        } else if (stage_ == Stage::scores || stage_ == Stage::softmax) {
            scan_ = scan_ || stretch.op == reduce;
            stage_ = Stage::softmax;
            block_.softmax_s += time_s;
        } else {
            stage_ = Stage::accumulate;
            block_.accumulate_s += time_s;
        }
    }

    void channels(double time_s) {
        if (stage_ == Stage::softmax && scan_) {
            end_block();
            block_.waits = true;
        }
        if (stage_ == Stage::softmax) stage_ = Stage::sums;
        if (stage_ == Stage::accumulate) end_block();
        (stage_ == Stage::scores ? block_.scores_s : block_.sums_s) += time_s;
    }

    // Blocks in the middle of a head differ by refreshes only: their mean stands for each.
    void end_block() {
        if (blocks_.size() > 1 && plain(block_) && plain(blocks_.back()) &&
            plain(blocks_[blocks_.size() - 2])) {
            const PimBlock last = blocks_.back();
            blocks_.pop_back();
            PimBlock& other = blocks_.back();
            const auto n = static_cast<double>(other.repeats);
            for (double PimBlock::* part : {&PimBlock::scores_s, &PimBlock::softmax_s,
                                            &PimBlock::sums_s, &PimBlock::accumulate_s}) {
                other.*part = (other.*part * n + last.*part) / (n + 1);
            }
            ++other.repeats;
        }
        blocks_.push_back(block_);
        block_ = {};
        stage_ = Stage::scores;
        scan_ = false;
    }
    static bool plain(const PimBlock& block) { return !block.first && !block.waits; }

    PimBlocks blocks_;
    PimBlock block_;
    Stage stage_ = Stage::scores;
    bool scan_ = false;  // the block is of digests
};

}  // namespace

std::uint32_t kernel_accumulators(pim::Scheduler scheduler) {
    switch (scheduler) {
        case pim::Scheduler::in_order:
            return 1;
        case pim::Scheduler::ping_pong:
            return 2;
        case pim::Scheduler::dcs:
            break;
    }
    return 64;
}

PimKernelTime kernel_time(const pim::SimulationResult& result, double hub_cycles,
                          const pim::Timing& timing) {
    const double clock_s = timing.clock_ns * 1e-9;
    PimKernelTime time;
    time.time_s = static_cast<double>(result.cycles) * clock_s;
    time.hub_s = hub_cycles * clock_s;
    time.commands = result.commands();
    for (const pim::ChannelResult& channel : result.channels) {
        const auto ran = [&](pim::Command command) {
            return channel.commands[static_cast<std::size_t>(command)] != 0;
        };
        if (ran(pim::Command::act) || ran(pim::Command::act16)) time.open_channel_s += time.time_s;
    }
    return time;
}

PimBlocks kernel_blocks(const std::vector<pim::Stretch>& stretches) {
    return BlockReader().read(stretches);
}

}  // namespace memside
