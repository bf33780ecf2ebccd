#include "dram/timing_state.h"

#include <algorithm>

namespace memside::dram {

TimingState::TimingState(const Spec& spec) : levels_(spec.levels) {
    for (const TimingRule& rule : spec.rules) add_rule(spec, rule);
}

TimingState::Source TimingState::source(Command command, int level) {
    const Level& where = levels_[static_cast<std::size_t>(level)];
    for (const auto& [known, first] : cells_[index(command)]) {
        if (known == level) return {first, where.shift};
    }
    const Source added{ready_.size(), where.shift};
    ready_.resize(ready_.size() + static_cast<std::size_t>(where.nodes), 0);
    cells_[index(command)].emplace_back(level, added.first);
    sources_[index(command)].push_back(added);
    return added;
}

// Of two rules with the same effect only the longer one matters.
void TimingState::add_effect(std::vector<Effect>& effects, const Effect& effect) {
    for (Effect& known : effects) {
        if (known.cells.first == effect.cells.first && known.siblings == effect.siblings) {
            known.cycles = std::max(known.cycles, effect.cycles);
            return;
        }
    }
    effects.push_back(effect);
}

void TimingState::add_rule(const Spec& spec, const TimingRule& rule) {
    const Level& level = levels_[static_cast<std::size_t>(rule.level)];
    if (rule.window == 1) {
        for (const Command from : rule.from) {
            for (const Command to : rule.to) {
                add_effect(effects_[index(from)],
                           {source(to, rule.level), to, level.nodes == 1,
                            spec.spacing(rule, from, to), rule.other_nodes ? level.count : 0});
            }
        }
        return;
    }
    // The commands of a window rule occupy the bus equally long (tFAW: ACT and REFpb of one
    // clock each, or ACT alone), so one offset per `to` serves all of `from`.
    Window window;
    window.shift = level.shift;
    window.length = rule.window;
    window.moments.assign(static_cast<std::size_t>(level.nodes * rule.window), -1);
    window.next.assign(static_cast<std::size_t>(level.nodes), 0);
    for (const Command to : rule.to) {
        window.effects.push_back({source(to, rule.level), to, level.nodes == 1,
                                  spec.spacing(rule, rule.from.front(), to), 0});
    }
    for (const Command from : rule.from) windows_of_[index(from)].push_back(windows_.size());
    windows_.push_back(std::move(window));
}

void TimingState::apply(const Effect& effect, int bank, Cycle from) {
    const std::size_t own = effect.cells.at(bank);
    const Cycle until = from + effect.cycles;
    if (effect.siblings == 0) {
        ready_[own] = std::max(ready_[own], until);
        if (effect.whole_channel) {
            Cycle& floor = channel_ready_[index(effect.to)];
            floor = std::max(floor, until);
        }
        return;
    }
    const std::size_t node = own - effect.cells.first;
    const std::size_t family = node - node % static_cast<std::size_t>(effect.siblings);
    for (std::size_t other = family; other < family + static_cast<std::size_t>(effect.siblings);
         ++other) {
        if (other == node) continue;
        Cycle& ready = ready_[effect.cells.first + other];
        ready = std::max(ready, until);
    }
}

void TimingState::issue(Command command, int bank, Cycle now) {
    for (const Effect& effect : effects_[index(command)]) apply(effect, bank, now);
    for (const std::size_t which : windows_of_[index(command)]) {
        Window& window = windows_[which];
        const auto node = static_cast<std::size_t>(bank >> window.shift);
        const std::size_t ring = node * static_cast<std::size_t>(window.length);
        int& next = window.next[node];
        window.moments[ring + static_cast<std::size_t>(next)] = now;
        next = next + 1 == window.length ? 0 : next + 1;
        // The slot that the next command will overwrite holds the oldest moment of the window.
        const Cycle oldest = window.moments[ring + static_cast<std::size_t>(next)];
        if (oldest < 0) continue;
        for (const Effect& effect : window.effects) apply(effect, bank, oldest);
    }
}

}  // namespace memside::dram
