#include "pim/channel_groups.h"

namespace memside::pim {

InOrderChannel& ChannelGroups::split(InOrderChannel& group, std::uint32_t mask) {
    assert(groups_.size() < channel_count);
    groups_.push_back(std::make_unique<InOrderChannel>(group));
    InOrderChannel& part = *groups_.back();
    part.state.channels &= mask;
    group.state.channels &= ~mask;
    for (std::uint32_t rest = part.state.channels; rest != 0; rest &= rest - 1) {
        group_of_bit_[lowest_bit(rest)] = static_cast<std::uint8_t>(groups_.size() - 1);
    }
    return part;
}

void ChannelGroups::merge_alike(std::uint32_t mask, Time time) {
    if (groups_.size() == 1) return;
    if (skip_ > 0) {
        --skip_;
        return;
    }
    std::array<bool, channel_count> settled{};
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        InOrderChannel& group = *groups_[i];
        settled[i] = (group.state.channels & ~mask) == 0 && group.settle(*context_, time);
    }
    bool merged = false;
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        if (!settled[i]) continue;
        bool taken = false;
        for (std::size_t k = i + 1; k < groups_.size(); ++k) {
            if (!settled[k] || !groups_[i]->equal(*groups_[k])) continue;
            if (!taken) add_to_channels(*groups_[i]);
            taken = true;
            add_to_channels(*groups_[k]);
            groups_[i]->state.channels |= groups_[k]->state.channels;
            groups_[k]->state.channels = 0;
            settled[k] = false;
        }
        merged = merged || taken;
    }
    // A comparison that fails costs as much as an instruction: the more fail, the fewer follow.
    constexpr std::uint32_t longest_pause = 32;
    failures_ = merged ? 0 : failures_ + 1;
    skip_ = std::min(failures_, longest_pause);
    if (merged) renumber();
}

void ChannelGroups::renumber() {
    std::erase_if(groups_, [](const auto& group) { return group->state.channels == 0; });
    for (std::size_t i = 0; i < groups_.size(); ++i) {
        for (std::uint32_t rest = groups_[i]->state.channels; rest != 0; rest &= rest - 1) {
            group_of_bit_[lowest_bit(rest)] = static_cast<std::uint8_t>(i);
        }
    }
}

void ChannelGroups::add_to_channels(InOrderChannel& group) {
    for (std::uint32_t rest = group.state.channels; rest != 0; rest &= rest - 1) {
        ChannelResult& done = done_[lowest_bit(rest)];
        for (std::size_t i = 0; i < command_count; ++i) {
            done.commands[i] += group.state.commands[i];
        }
        for (std::size_t i = 0; i < activity_count; ++i) {
            done.activity_cycles[i] += group.state.activity_cycles[i];
        }
    }
    group.state.commands.fill(0);
    group.state.activity_cycles.fill(0);
}

void ChannelGroups::finish(Time cycles, SimulationResult& result) {
    for (const auto& group : groups_) {
        group->finish(*context_, cycles);
        add_to_channels(*group);
    }
    result.cycles = static_cast<std::uint64_t>(cycles);
    for (unsigned bit = 0; bit < channel_count; ++bit) {
        const bool addressed = result.channels[31 - bit].addressed;
        result.channels[31 - bit] = done_[bit];
        result.channels[31 - bit].addressed = addressed;
    }
}

}  // namespace memside::pim
