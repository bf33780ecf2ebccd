// When each command may next be issued: the timing rules of a Spec applied to the commands issued
// so far. It knows rules, not protocol: that a row is open is the controller's business.
#pragma once

#include <array>
#include <vector>

#include "dram/command.h"
#include "dram/spec.h"

namespace memside::dram {

class TimingState {
  public:
    explicit TimingState(const Spec& spec);

    // The first cycle at which every rule admits `command` on `bank` (for an all-bank command: any
    // bank of the scope).
    Cycle earliest(Command command, int bank) const {
        Cycle latest = 0;
        for (const Source& source : sources_[index(command)]) {
            const Cycle ready = ready_[source.at(bank)];
            latest = ready > latest ? ready : latest;
        }
        return latest;
    }

    // A lower bound of earliest() for every bank: the rules of levels that have only one node.
    Cycle channel_earliest(Command command) const { return channel_ready_[index(command)]; }

    // Notes that `command` is issued at `now`. `now` never decreases.
    void issue(Command command, int bank, Cycle now);

  private:
    // The cells of one (command, level): cell of a bank = first + (bank >> shift).
    struct Source {
        std::size_t first = 0;
        int shift = 0;
        std::size_t at(int bank) const { return first + static_cast<std::size_t>(bank >> shift); }
    };
    // What issuing a command does to another one.
    struct Effect {
        Source cells;
        Command to = Command::act;
        bool whole_channel = false;
        Cycle cycles = 0;
        int siblings = 0;  // 0: own node; else the nodes of one parent, of which all others
    };
    // A rule over the last `window` commands: the moments of the latest ones, per node.
    struct Window {
        int shift = 0;
        int length = 1;
        std::vector<Cycle> moments;  // a ring of `length` per node
        std::vector<int> next;       // per node
        std::vector<Effect> effects;
    };

    Source source(Command command, int level);
    void add_rule(const Spec& spec, const TimingRule& rule);
    void add_effect(std::vector<Effect>& effects, const Effect& effect);
    void apply(const Effect& effect, int bank, Cycle from);

    const std::vector<Level> levels_;
    std::vector<Cycle> ready_;
    std::array<Cycle, timed_commands> channel_ready_{};
    std::array<std::vector<Source>, timed_commands> sources_;
    std::array<std::vector<std::pair<int, std::size_t>>, timed_commands> cells_;  // level, first
    std::array<std::vector<Effect>, timed_commands> effects_;
    std::vector<Window> windows_;
    std::array<std::vector<std::size_t>, timed_commands> windows_of_;
};

}  // namespace memside::dram
