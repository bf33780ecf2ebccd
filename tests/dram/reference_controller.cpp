#include "dram/reference_controller.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <optional>

#include <fmt/format.h>

namespace memside::dram {
namespace {

bool contains(const std::vector<Command>& commands, Command command) {
    return std::find(commands.begin(), commands.end(), command) != commands.end();
}

// Whether `past` is one of the commands that `rule` counts for a command on `bank`.
bool counts(const Spec& spec, const TimingRule& rule, const IssuedCommand& past, int bank) {
    if (!contains(rule.from, past.command)) return false;
    const Level& level = spec.levels[static_cast<std::size_t>(rule.level)];
    const int past_node = past.bank >> level.shift;
    const int node = bank >> level.shift;
    if (!rule.other_nodes) return past_node == node;
    return past_node != node && past_node / level.count == node / level.count;
}

// The rule that forbids `command` on `bank` at `now`, given all that was issued.
const TimingRule* forbidding_rule(const Spec& spec, const std::vector<IssuedCommand>& log,
                                  std::size_t log_size, Command command, int bank, Cycle now) {
    for (const TimingRule& rule : spec.rules) {
        if (!contains(rule.to, command)) continue;
        int seen = 0;
        for (std::size_t i = log_size; i-- > 0 && seen < rule.window;) {
            if (!counts(spec, rule, log[i], bank)) continue;
            if (++seen < rule.window) continue;
            if (now < log[i].cycle + spec.spacing(rule, log[i].command, command)) return &rule;
        }
    }
    return nullptr;
}

struct Waiting {
    Request request;
    Cycle accepted = 0;
    std::uint64_t order = 0;
    bool counted = false;
};

class Reference {
  public:
    Reference(const Spec& spec, const ControllerOptions& options,
              const std::vector<Request>& requests)
        : spec_(spec),
          options_(options),
          incoming_(requests.begin(), requests.end()),
          open_row_(static_cast<std::size_t>(spec.banks()), -1),
          opened_(static_cast<std::size_t>(spec.banks())) {
        const Level& scope = spec.levels[static_cast<std::size_t>(spec.refresh_level)];
        owed_.assign(static_cast<std::size_t>(scope.nodes), 0);
        turn_.assign(static_cast<std::size_t>(scope.nodes), 0);
        scope_banks_ = spec.banks() / scope.nodes;
    }

    ReferenceResult run() {
        for (Cycle now = 0; !done(); ++now) {
            const Cycle interval = options_.refresh == RefreshMode::all_bank
                                       ? spec_.refresh_interval
                                       : spec_.refresh_bank_interval;
            if (options_.refresh != RefreshMode::none && now > 0 && now % interval == 0) {
                for (int& owed : owed_) ++owed;
            }
            update_drain();
            if (spec_.separate_column_bus) {
                if (now >= column_free_) column_slot(now);
                if (now >= row_free_) row_slot(now);
            } else if (now >= row_free_) {
                shared_slot(now);
            }
            accept(now);
        }
        return result_;
    }

  private:
    struct Pick {
        Command command = Command::act;
        int bank = 0;
        std::uint64_t order = 0;
        int from = 0;  // 0 opened, 1 queue, 2 refresh
        int scope = 0;
        bool write_queue = false;
    };

    static std::size_t at(int index) { return static_cast<std::size_t>(index); }

    bool done() const {
        return incoming_.empty() && reads_.empty() && writes_.empty() &&
               std::none_of(opened_.begin(), opened_.end(), [](const auto& o) { return o; });
    }

    bool may(Command command, int bank, Cycle now) const {
        if (!spec_.half_clock[index(command)] && now % 2 != 0) return false;
        return forbidding_rule(spec_, result_.log, result_.log.size(), command, bank, now) ==
               nullptr;
    }

    std::vector<int> refresh_targets(int scope) const {
        const int first = scope * scope_banks_;
        std::vector<int> banks;
        if (options_.refresh == RefreshMode::all_bank) {
            for (int i = 0; i < scope_banks_; ++i) banks.push_back(first + i);
        } else {
            banks.push_back(first + turn_[at(scope)]);
            if (spec_.banks_per_refpb == 2) banks.push_back(banks[0] + scope_banks_ / 2);
        }
        return banks;
    }

    bool refresh_blocks(int bank) const {
        const int scope = bank / scope_banks_;
        if (owed_[at(scope)] == 0) return false;
        const auto targets = refresh_targets(scope);
        return std::find(targets.begin(), targets.end(), bank) != targets.end();
    }

    void update_drain() {
        const int size = static_cast<int>(writes_.size());
        const int from = static_cast<int>(options_.drain_from * options_.write_queue);
        const int to = static_cast<int>(options_.drain_to * options_.write_queue);
        if (size == 0) {
            draining_ = false;
        } else if (reads_.empty()) {
            draining_ = true;
        } else if (draining_) {
            draining_ = size > to;
        } else {
            draining_ = size >= from;
        }
    }

    std::optional<Pick> pick_opened(Cycle now) const {
        std::optional<Pick> best;
        for (int bank = 0; bank < spec_.banks(); ++bank) {
            const auto& waiting = opened_[at(bank)];
            if (!waiting || bank == act2_bank_) continue;
            const Command command = waiting->request.write ? Command::wr : Command::rd;
            if (!may(command, bank, now)) continue;
            if (!best || waiting->order < best->order) {
                best = Pick{command, bank, waiting->order, 0, 0, false};
            }
        }
        return best;
    }

    std::optional<Pick> pick_refresh(Cycle now) const {
        for (int scope = 0; scope < static_cast<int>(owed_.size()); ++scope) {
            if (owed_[at(scope)] == 0) continue;
            const std::vector<int> targets = refresh_targets(scope);
            bool held = false;
            int open = -1;
            for (const int bank : targets) {
                held = held || opened_[at(bank)].has_value();
                if (open < 0 && open_row_[at(bank)] >= 0) open = bank;
            }
            if (held) continue;
            const bool all = options_.refresh == RefreshMode::all_bank;
            Pick pick{all ? Command::refab : Command::refpb, targets[0], 0, 2, scope, false};
            if (open >= 0) {
                pick.command = all ? Command::prea : Command::pre;
                if (!all) pick.bank = open;
            }
            bool allowed = may(pick.command, pick.bank, now);
            if (pick.command == Command::refpb) {
                for (const int bank : targets) allowed = allowed && may(pick.command, bank, now);
            }
            if (allowed) return pick;
        }
        return std::nullopt;
    }

    std::optional<Pick> pick_queued(Cycle now, bool columns, bool rows) const {
        const std::deque<Waiting>& queue = draining_ ? writes_ : reads_;
        std::optional<Pick> best;
        for (const Waiting& waiting : queue) {
            const int bank = waiting.request.bank;
            const int row = open_row_[at(bank)];
            if (refresh_blocks(bank)) continue;
            Command command = draining_ ? Command::wr : Command::rd;
            if (row == waiting.request.row) {
                if (!columns || bank == act2_bank_) continue;
            } else {
                if (!rows || opened_[at(bank)]) continue;
                command = row < 0 ? Command::act : Command::pre;
                if (command == Command::act && act2_bank_ >= 0) continue;
                const bool older_hit =
                    std::any_of(queue.begin(), queue.end(), [&](const Waiting& other) {
                        return other.request.bank == bank && other.request.row == row &&
                               other.order < waiting.order;
                    });
                if (command == Command::pre && older_hit) continue;
            }
            if (!may(command, bank, now)) continue;
            if (!best || waiting.order < best->order) {
                best = Pick{command, bank, waiting.order, 1, 0, draining_};
            }
        }
        return best;
    }

    void shared_slot(Cycle now) {
        if (synced_) {
            const Pick pick = *synced_;
            synced_.reset();
            issue(pick, now);
            return;
        }
        if (act2_bank_ >= 0 && now == act2_deadline_) return issue_act2(now);
        std::optional<Pick> pick = pick_opened(now);
        if (!pick) pick = pick_refresh(now);
        if (!pick) pick = pick_queued(now, true, true);
        if (!pick) {
            if (act2_bank_ >= 0) issue_act2(now);
            return;
        }
        if (spec_.sync_lasts > 0 && is_column(pick->command) && now >= sync_until_) {
            if (act2_bank_ >= 0 && act2_deadline_ <= now + 1) return issue_act2(now);
            log(Command::sync, pick->bank, now, 0);
            synced_ = pick;
            return;
        }
        issue(*pick, now);
    }

    void column_slot(Cycle now) {
        std::optional<Pick> pick = pick_opened(now);
        if (!pick) pick = pick_queued(now, true, false);
        if (pick) issue(*pick, now);
    }

    void row_slot(Cycle now) {
        std::optional<Pick> pick = pick_refresh(now);
        if (!pick) pick = pick_queued(now, false, true);
        if (pick) issue(*pick, now);
    }

    void log(Command command, int bank, Cycle now, int row) {
        result_.log.push_back({now, command, bank, row});
        Cycle& bus = spec_.separate_column_bus && is_column(command) ? column_free_ : row_free_;
        bus = now + spec_.bus_ticks[index(command)];
    }

    void issue_act2(Cycle now) {
        log(Command::act2, act2_bank_, now, 0);
        act2_bank_ = -1;
    }

    void issue(const Pick& pick, Cycle now) {
        if (pick.from == 2) return issue_refresh(pick, now);
        if (pick.from == 0) {
            Waiting waiting = *opened_[at(pick.bank)];
            opened_[at(pick.bank)].reset();
            return finish(pick, waiting, now);
        }
        std::deque<Waiting>& queue = pick.write_queue ? writes_ : reads_;
        const auto waiting = std::find_if(queue.begin(), queue.end(),
                                          [&](const Waiting& w) { return w.order == pick.order; });
        if (is_column(pick.command)) {
            if (!waiting->counted) ++result_.row_hits;
            const Waiting copy = *waiting;
            queue.erase(waiting);
            return finish(pick, copy, now);
        }
        std::int64_t& outcome =
            pick.command == Command::act ? result_.row_misses : result_.row_conflicts;
        if (!waiting->counted) ++outcome;
        waiting->counted = true;
        if (pick.command == Command::pre) {
            log(Command::pre, pick.bank, now, 0);
            open_row_[at(pick.bank)] = -1;
            return;
        }
        log(Command::act, pick.bank, now, waiting->request.row);
        open_row_[at(pick.bank)] = waiting->request.row;
        opened_[at(pick.bank)] = *waiting;
        queue.erase(waiting);
        if (spec_.act2_within > 0) {
            act2_bank_ = pick.bank;
            act2_deadline_ = now + spec_.act2_within;
        }
    }

    void issue_refresh(const Pick& pick, Cycle now) {
        if (pick.command == Command::pre || pick.command == Command::prea) {
            log(pick.command, pick.bank, now, 0);
            if (pick.command == Command::pre) {
                open_row_[at(pick.bank)] = -1;
            } else {
                for (const int bank : refresh_targets(pick.scope)) open_row_[at(bank)] = -1;
            }
            return;
        }
        log(pick.command, pick.bank, now, 0);
        // A REFpb of two banks binds both; the second one is noted too.
        if (pick.command == Command::refpb && spec_.banks_per_refpb == 2) {
            second_refpb_.push_back(result_.log.size());
            result_.log.push_back({now, Command::refpb, pick.bank + scope_banks_ / 2, 0});
        }
        --owed_[at(pick.scope)];
        turn_[at(pick.scope)] =
            (turn_[at(pick.scope)] + 1) % (scope_banks_ / spec_.banks_per_refpb);
    }

    void finish(const Pick& pick, const Waiting& waiting, Cycle now) {
        log(pick.command, pick.bank, now, 0);
        sync_until_ = now + spec_.sync_lasts;
        if (pick.command == Command::wr) {
            ++result_.writes;
        } else {
            ++result_.reads;
            result_.read_latency_sum += now + spec_.read_latency - waiting.accepted;
        }
    }

    static bool same_burst(const Request& a, const Request& b) {
        return a.bank == b.bank && a.row == b.row && a.column == b.column;
    }

    void accept(Cycle now) {
        while (!incoming_.empty() && incoming_.front().arrival <= now) {
            const Request& request = incoming_.front();
            const bool waits = std::any_of(writes_.begin(), writes_.end(), [&](const Waiting& w) {
                return same_burst(w.request, request);
            });
            const auto& opened = opened_[at(request.bank)];
            const bool opens =
                opened && opened->request.write && same_burst(opened->request, request);
            if (request.write && waits) {
                ++result_.merged;
            } else if (!request.write && (waits || opens)) {
                ++result_.forwarded;
                ++result_.read_latency_sum;
            } else {
                std::deque<Waiting>& queue = request.write ? writes_ : reads_;
                const int capacity = request.write ? options_.write_queue : options_.read_queue;
                if (static_cast<int>(queue.size()) == capacity) return;
                queue.push_back({request, now, order_++, false});
            }
            incoming_.pop_front();
        }
    }

    const Spec& spec_;
    const ControllerOptions& options_;
    std::deque<Request> incoming_;
    std::deque<Waiting> reads_;
    std::deque<Waiting> writes_;
    bool draining_ = false;
    std::uint64_t order_ = 0;
    std::vector<int> open_row_;
    std::vector<std::optional<Waiting>> opened_;
    std::vector<int> owed_;
    std::vector<int> turn_;
    int scope_banks_ = 1;
    Cycle row_free_ = 0;
    Cycle column_free_ = 0;
    int act2_bank_ = -1;
    Cycle act2_deadline_ = 0;
    Cycle sync_until_ = 0;
    std::optional<Pick> synced_;
    ReferenceResult result_;
    std::vector<std::size_t> second_refpb_;

    friend ReferenceResult memside::dram::reference_simulate(const Spec&, const ControllerOptions&,
                                                             const std::vector<Request>&);
};

}  // namespace

ReferenceResult reference_simulate(const Spec& spec, const ControllerOptions& options,
                                   const std::vector<Request>& requests) {
    Reference reference(spec, options, requests);
    ReferenceResult result = reference.run();
    for (auto i = reference.second_refpb_.rbegin(); i != reference.second_refpb_.rend(); ++i) {
        result.log.erase(result.log.begin() + static_cast<std::ptrdiff_t>(*i));
    }
    return result;
}

std::string broken_rule(const Spec& spec, const std::vector<IssuedCommand>& log) {
    for (std::size_t i = 0; i < log.size(); ++i) {
        const IssuedCommand& now = log[i];
        if (index(now.command) >= timed_commands) continue;
        const TimingRule* rule = forbidding_rule(spec, log, i, now.command, now.bank, now.cycle);
        if (rule != nullptr) {
            return fmt::format("{} at {} on bank {} breaks {}", name(now.command), now.cycle,
                               now.bank, rule->name);
        }
    }
    return "";
}

}  // namespace memside::dram
