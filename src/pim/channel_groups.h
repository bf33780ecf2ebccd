// The channels of a run in groups that are in the same state: a group is computed once. Groups
// split when an instruction addresses a part of one and merge when their states become equal.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <memory>
#include <vector>

#include "pim/in_order_channel.h"

namespace memside::pim {

inline std::size_t lowest_bit(std::uint32_t mask) {
    return static_cast<std::size_t>(std::countr_zero(mask));
}

class ChannelGroups {
  public:
    explicit ChannelGroups(const RunContext& context) : context_(&context) {
        groups_.push_back(std::make_unique<InOrderChannel>(context));
        groups_.front()->state.channels = 0xffffffff;
    }

    // Calls run(group) for groups that together are the channels of `mask`.
    template <typename Run>
    void for_each(std::uint32_t mask, const Run& run) {
        while (mask != 0) {
            InOrderChannel& group = group_of(mask);
            mask &= ~group.state.channels;
            run(group);
        }
    }

    // Merges those groups of `mask` that are alike from `time` on.
    void merge_alike(std::uint32_t mask, Time time);

    std::size_t count() const { return groups_.size(); }

    // Ends the run after `cycles` and adds up what each channel did.
    void finish(Time cycles, SimulationResult& result);

  private:
    // The group of the mask's lowest channel, reduced to channels of the mask.
    InOrderChannel& group_of(std::uint32_t mask) {
        InOrderChannel& group = *groups_[group_of_bit_[lowest_bit(mask)]];
        if ((group.state.channels & ~mask) != 0) return split(group, mask);
        return group;
    }
    InOrderChannel& split(InOrderChannel& group, std::uint32_t mask);
    void add_to_channels(InOrderChannel& group);
    void renumber();

    const RunContext* context_;
    std::vector<std::unique_ptr<InOrderChannel>> groups_;
    std::array<std::uint8_t, channel_count> group_of_bit_{};
    std::array<ChannelResult, channel_count> done_{};  // by bit: what groups did before they merged
    std::uint32_t failures_ = 0;                       // attempts to merge since the last that did
    std::uint32_t skip_ = 0;                           // attempts to leave out
};

}  // namespace memside::pim
