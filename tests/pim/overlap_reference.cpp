#include "pim/overlap_reference.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <optional>

#include "pim/overlap_reference_unroll.h"

namespace memside::pim {
namespace {

using enum Command;
using Cycle = std::uint64_t;

struct SRecord {
    std::uint64_t id = 0;
    Cycle completion = 0;
    bool mac = false;
    std::size_t side = 1;
};

struct Half {
    std::size_t owner = 1;
    Cycle usable = 0;
};

// A GPR operand of an instruction that channels execute.
struct InFlight {
    std::uint64_t instruction = 0;
    std::uint32_t first = 0, last = 0;
    bool write = false;
    std::uint32_t mask = 0;
    std::size_t side = 0;
    std::uint64_t unfinished = 0;  // commands
    Cycle completed = 0;
};

bool is_mac_command(Command c) {
    return c == mac || c == mac16;
}

struct Channel {
    std::array<std::deque<Queued>, 2> queue;     // 0: transfers, 1: compute
    std::array<std::deque<Queued>, 2> leftover;  // of the instruction that did not fit
    std::map<Resource, std::uint64_t> d_table;
    std::map<Resource, SRecord> s_table;
    std::map<Resource, Half> halves;
    std::map<Resource, std::array<Cycle, 2>> half_completion;
    std::vector<ReferenceCommand> history;
    std::array<std::optional<std::uint32_t>, bank_count> rows;
    std::uint64_t next_id = 1;
    Cycle completed = 0;
    Cycle refreshes = 0;
    bool activated = false;  // a row was opened for the head of the compute queue
};

class Machine {
  public:
    Machine(const Program& program, const Timing& timing, const SimulationOptions& options)
        : program_(program),
          timing_(timing),
          halves_(options.scheduler == Scheduler::ping_pong),
          handover_(options.dcs_handover ? Cycle(timing.nMODCH) : 0),
          refresh_(options.refresh) {
        for (int name = 0; name < static_cast<int>(command_count); ++name) {
            for (int other = 0; other < static_cast<int>(command_count); ++other) {
                longest_gap_ = std::max(longest_gap_,
                                        reference_gap(timing, Command(name), 0, Command(other), 0));
            }
        }
    }

    ReferenceRun run() {
        Cursor cursor(program_);
        bool at_barrier = false, ending = false;
        Cycle barrier_decoded = 0;
        Cycle next_decode = 1;
        std::uint64_t number = 0;
        for (Cycle now = 1;; ++now) {
            bool entered = false;
            for (Channel& channel : channels_) entered |= enter_leftovers(channel);
            if (entered) next_decode = now + 1;
            if (!at_barrier && now >= next_decode && !leftovers()) {
                const bool over = cursor.done() || cursor->opcode == Opcode::eoc;
                if (over || cursor->opcode == Opcode::sync) {
                    run_.decoded.push_back(now);
                    at_barrier = true;
                    ending = over;
                    barrier_decoded = now;
                } else if (registers_free(*cursor, number, now)) {
                    run_.decoded.push_back(now);
                    decode(*cursor, number, now);
                }
                if (run_.decoded.size() > number) {
                    ++number;
                    if (!over) cursor.next();
                    next_decode = now + 1;
                }
            }
            if (at_barrier && now > barrier_decoded && all_idle(now)) {
                if (ending) {
                    run_.cycles = now;
                    for (Channel& channel : channels_) tick(channel, now);
                    for (unsigned c = 0; c < channel_count; ++c) {
                        run_.channels[c] = channels_[c].history;
                    }
                    return run_;
                }
                at_barrier = false;
                next_decode = now + 1;
            }
            for (unsigned c = 0; c < channel_count; ++c) tick(channels_[c], now);
        }
    }

  private:
    static bool addresses(std::uint32_t mask, unsigned channel) {
        return (mask >> (31 - channel) & 1) != 0;
    }

    bool leftovers() const {
        for (const Channel& c : channels_) {
            if (!c.leftover[0].empty() || !c.leftover[1].empty()) return true;
        }
        return false;
    }

    bool all_idle(Cycle now) const {
        for (const Channel& c : channels_) {
            if (!c.queue[0].empty() || !c.queue[1].empty() || c.completed >= now) return false;
        }
        return true;
    }

    // D-Table: who touched the entries last.
    void enter(Channel& channel, std::size_t side, Queued command) {
        command.id = channel.next_id++;
        for (const Resource& r : command.touches) {
            command.depends[r] = channel.d_table[r];
            channel.d_table[r] = command.id;
        }
        channel.queue[side].push_back(command);
    }

    bool enter_leftovers(Channel& channel) {
        bool entered = false;
        for (std::size_t side = 0; side < 2; ++side) {
            while (!channel.leftover[side].empty() && channel.queue[side].size() < 33) {
                enter(channel, side, channel.leftover[side].front());
                channel.leftover[side].pop_front();
                entered = true;
            }
        }
        return entered;
    }

    bool registers_free(const Instruction& i, std::uint64_t, Cycle now) const {
        const bool in_hub = i.opcode == Opcode::write_gpr || i.opcode == Opcode::read_gpr ||
                            i.opcode == Opcode::ewadd;
        for (const Operand& mine : operands(i)) {
            for (const InFlight& other : in_flight_) {
                if (other.unfinished == 0 && other.completed < now) continue;
                if (mine.last < other.first || other.last < mine.first) continue;
                if (!mine.write && !other.write) continue;
                const bool same_queues =
                    !in_hub && other.mask == i.mask && other.side == side_of(i.opcode);
                if (same_queues && mine.write && other.write && mine.first == other.first) continue;
                if (same_queues && mine.write && !other.write && std::popcount(i.mask) == 1) {
                    continue;
                }
                return false;
            }
        }
        return true;
    }

    void decode(const Instruction& i, std::uint64_t number, Cycle now) {
        if (i.opcode == Opcode::write_cfr) {
            cfr_[i.gpr] = i.gpr2;
            return;
        }
        const std::vector<Queued> commands = unroll(i, number, now, cfr_, halves_);
        if (commands.empty()) return;
        const bool host = i.opcode == Opcode::write_mem || i.opcode == Opcode::read_mem;
        const std::uint32_t mask = host ? 1u << (31 - i.channel) : i.mask;
        for (const Operand& gpr : operands(i)) {
            InFlight flight{number, gpr.first, gpr.last, gpr.write, mask, side_of(i.opcode), 0, 0};
            flight.unfinished = std::uint64_t(std::popcount(mask)) * commands.size();
            in_flight_.push_back(flight);
        }
        for (unsigned c = 0; c < channel_count; ++c) {
            if (!addresses(mask, c)) continue;
            auto& leftover = channels_[c].leftover[side_of(i.opcode)];
            leftover.insert(leftover.end(), commands.begin(), commands.end());
            enter_leftovers(channels_[c]);
        }
    }

    // What the head needs first: a row command or itself.
    static Command next_command(const Channel& channel, const Queued& head) {
        const Command c = head.what.command;
        if (c == mac16 || c == af16 || c == ewmul16 || c == wra16) {
            bool all_open = true;
            for (const auto& row : channel.rows) {
                if (row && *row != head.row) return prea;
                all_open &= row.has_value();
            }
            return all_open ? c : act16;
        }
        if (c == rd || c == wr || c == mac || c == rdcp || c == wrcp) {
            const auto& row = channel.rows[head.what.bank];
            if (!row) return act;
            return *row == head.row ? c : pre;
        }
        return c;
    }

    bool admitted(const Channel& channel, Command command, unsigned bank, Cycle now) const {
        for (auto it = channel.history.rbegin(); it != channel.history.rend(); ++it) {
            if (it->cycle + longest_gap_ < now) break;
            if (it->cycle + reference_gap(timing_, it->command, it->bank, command, bank) > now) {
                return false;
            }
        }
        return true;
    }

    // The oldest command that still has to touch a half, and its side.
    static std::optional<std::pair<std::size_t, Cycle>> next_user(const Channel& channel,
                                                                  Resource half) {
        const Queued* oldest = nullptr;
        std::size_t of_side = 0;
        for (std::size_t side = 0; side < 2; ++side) {
            for (const auto* queue : {&channel.queue[side], &channel.leftover[side]}) {
                for (const Queued& q : *queue) {
                    const auto& t = q.touches;
                    if (std::find(t.begin(), t.end(), half) == t.end()) continue;
                    if (oldest == nullptr || q.what.instruction < oldest->what.instruction) {
                        oldest = &q;
                        of_side = side;
                    }
                }
            }
        }
        if (oldest == nullptr) return std::nullopt;
        return std::pair(of_side, oldest->what.arrival);
    }

    // A half whose owner is done and for which the other side waits.
    bool hand_over(Channel& channel, Cycle now) {
        for (const Resource& name : {Resource{'g', 0}, {'g', 1}, {'o', 0}, {'o', 1}}) {
            const auto user = next_user(channel, name);
            Half& half = channel.halves[name];
            const auto& done = channel.half_completion[name];
            if (!user || user->first == half.owner || std::max(done[0], done[1]) > now) continue;
            half.owner = user->first;
            half.usable = now + Cycle(timing_.nMODCH);
            ReferenceCommand command;
            command.command = tmod;
            command.arrival = user->second;
            apply(channel, command, 0, now);
            return true;
        }
        return false;
    }

    // What the head of a queue issues in this cycle, if anything.
    std::optional<Queued> ready(Channel& channel, std::size_t side, Cycle now) {
        if (channel.queue[side].empty()) return std::nullopt;
        const Queued& head = channel.queue[side].front();
        Queued result = head;
        const Command next = next_command(channel, head);
        if (next != head.what.command) {
            if (admitted(channel, next, head.what.bank, now)) {
                result.what.opens_for = head.what.command;
                result.what.command = next;
                result.what.column = false;
                return result;
            }
        }
        bool free = next == head.what.command;
        for (const Resource& r : head.touches) {
            if (halves_) {
                const Half& half = channel.halves[r];
                const auto user = next_user(channel, r);
                if (half.owner != side || user->first != side || half.usable > now) free = false;
            } else {
                // S-Table.
                const SRecord& last = channel.s_table[r];
                if (last.id != head.depends.at(r)) free = false;
                const bool chained = last.mac && is_mac_command(head.what.command);
                const Cycle extra = last.id != 0 && last.side != side ? handover_ : 0;
                if (!chained && last.id != 0 && last.completion + extra > now) free = false;
            }
        }
        if (free && admitted(channel, head.what.command, head.what.bank, now)) return result;
        return std::nullopt;
    }

    std::optional<ReferenceCommand> refresh(const Channel& channel, Cycle now) const {
        ReferenceCommand command;
        command.refresh = true;
        command.arrival = now;
        if (refresh_ == RefreshMode::all_bank) {
            command.command = ref_all_bank;
            for (const auto& row : channel.rows) {
                if (row) command.command = prea;
            }
        } else {
            command.bank = unsigned(channel.refreshes % bank_count);
            command.command = channel.rows[command.bank] ? pre : ref_per_bank;
        }
        if (!admitted(channel, command.command, command.bank, now)) return std::nullopt;
        return command;
    }

    void tick(Channel& channel, Cycle now) {
        const Cycle share = refresh_ == RefreshMode::per_bank ? bank_count : 1;
        const bool refresh_due = refresh_ != RefreshMode::off && !channel.activated &&
                                 now >= (channel.refreshes + 1) * Cycle(timing_.nREFI) / share;
        if (refresh_due) {
            if (const auto command = refresh(channel, now)) return apply(channel, *command, 0, now);
        } else if (const auto compute = ready(channel, 1, now)) {
            return finish(channel, 1, *compute, now);
        }
        if (halves_ && hand_over(channel, now)) return;
        if (const auto transfer = ready(channel, 0, now)) finish(channel, 0, *transfer, now);
    }

    void finish(Channel& channel, std::size_t side, const Queued& issued, Cycle now) {
        apply(channel, issued.what, issued.row, now);
        if (side == 1) {
            const Command c = issued.what.command;
            channel.activated = c == act || c == act16;
        }
        if (!issued.what.column) return;
        const Cycle completion = now + reference_completion(timing_, issued.what.command);
        channel.completed = std::max(channel.completed, completion);
        for (const Resource& r : issued.touches) {
            channel.s_table[r] = {issued.id, completion, is_mac_command(issued.what.command), side};
            Cycle& done = channel.half_completion[r][side];
            done = std::max(done, completion);
        }
        for (InFlight& flight : in_flight_) {
            if (!issued.uses_gpr || flight.instruction != issued.what.instruction) continue;
            --flight.unfinished;
            flight.completed = std::max(flight.completed, completion);
        }
        channel.queue[side].pop_front();
    }

    void apply(Channel& channel, ReferenceCommand command, std::uint32_t row, Cycle now) {
        command.cycle = now;
        channel.history.push_back(command);
        switch (command.command) {
            case act:
                channel.rows[command.bank] = row;
                break;
            case act16:
                channel.rows.fill(row);
                break;
            case pre:
                channel.rows[command.bank].reset();
                break;
            case prea:
            case wra16:
                channel.rows.fill(std::nullopt);
                break;
            case ref_all_bank:
            case ref_per_bank:
                ++channel.refreshes;
                break;
            default:
                break;
        }
    }

    const Program& program_;
    const Timing& timing_;
    const bool halves_;
    const Cycle handover_;
    const RefreshMode refresh_;
    Cycle longest_gap_ = 0;
    std::array<Channel, channel_count> channels_;
    std::vector<InFlight> in_flight_;
    std::array<std::uint32_t, 3> cfr_{};
    ReferenceRun run_;
};

}  // namespace

ReferenceRun reference_overlap(const Program& program, const Timing& timing,
                               const SimulationOptions& options) {
    return Machine(program, timing, options).run();
}

}  // namespace memside::pim
