// Data do not depend on the scheduler: commands that depend on each other are issued in program
// order, and a functional model that follows the order of issue ends in the state of one that
// follows the program.
#include <rapidcheck/gtest.h>
#include <bit>
#include <map>

#include "pim/overlap_programs.h"
#include "pim/overlap_scheduler.h"
#include "pim/reference_machine.h"

namespace memside::pim {
namespace {

// One column of an instruction in one channel, or an instruction of the HUB.
struct Event {
    std::uint64_t instruction = 0;
    Cycle cycle = 0;
    Cycle completion = 0;
    Instruction what;                                             // of one channel and one column
    std::uint32_t mac_source = 0, ewmul_width = 0, function = 0;  // CFR 0 to 2, as in the program
    bool in_hub = false;
};

bool of_hub(Opcode opcode) {
    using enum Opcode;
    return opcode == ewadd || opcode == write_gpr || opcode == read_gpr || opcode == write_cfr;
}

// The k-th channel of a mask, ascending, writes the k-th register.
std::uint32_t rank_of(std::uint32_t mask, unsigned channel) {
    return channel == 0 ? 0 : std::uint32_t(std::popcount(mask >> (32 - channel)));
}

Instruction part_of(Instruction i, unsigned channel, std::uint32_t offset) {
    using enum Opcode;
    if (i.opcode == rd_mac || i.opcode == rd_af || i.opcode == rd_sbk) {
        i.gpr += rank_of(i.mask, channel);
    }
    if (i.opcode == wr_gb) i.gpr += offset;
    if (i.opcode != write_mem && i.opcode != read_mem) i.mask = 1u << (31 - channel);
    i.gbuf = static_cast<std::uint16_t>(i.gbuf + offset);
    i.column = static_cast<std::uint16_t>(i.column + offset);
    i.opsize = 1;
    return i;
}

// Everything that happened, in the order of time; decoding comes first in a cycle.
std::vector<Event> events_of(const Program& program, const OverlapLog& log, const Timing& timing) {
    const ConstraintTable table(timing);
    std::vector<Event> events;
    std::array<std::uint32_t, 3> cfr{};
    std::vector<std::array<std::uint32_t, 3>> cfr_at;
    for (std::size_t n = 0; n < program.instructions.size(); ++n) {
        const Instruction& i = program.instructions[n];
        if (i.opcode == Opcode::write_cfr) cfr[i.gpr] = i.gpr2;
        cfr_at.push_back(cfr);
        if (!of_hub(i.opcode) || i.opcode == Opcode::write_cfr) continue;
        events.push_back({n, log.decoded[n], log.decoded[n], i, 0, 0, 0, true});
    }
    for (unsigned channel = 0; channel < channel_count; ++channel) {
        for (const IssuedCommand& issued : log.channels[channel]) {
            if (!issued.column) continue;
            Event event;
            event.instruction = issued.instruction;
            event.cycle = issued.cycle;
            event.completion = issued.cycle + Cycle(table.completion(issued.command));
            event.what = part_of(program.instructions[issued.instruction], channel, issued.offset);
            const auto& values = cfr_at[issued.instruction];
            event.mac_source = values[0];
            event.ewmul_width = values[1];
            event.function = values[2];
            events.push_back(event);
        }
    }
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return std::pair(a.cycle, !a.in_hub) < std::pair(b.cycle, !b.in_hub);
    });
    return events;
}

using Resource = std::tuple<char, unsigned, unsigned, unsigned, unsigned>;
struct Use {
    const Event* event = nullptr;
    bool write = false;
};

// What an event reads and writes.
std::vector<std::pair<Resource, bool>> uses_of(const Event& event) {
    using enum Opcode;
    const Instruction& i = event.what;
    const unsigned c = i.opcode == write_mem || i.opcode == read_mem
                           ? i.channel
                           : unsigned(std::countl_zero(i.mask));
    std::vector<std::pair<Resource, bool>> uses;
    const auto gpr = [&](std::uint32_t n, bool write) {
        uses.push_back({{'g', 0, 0, 0, n}, write});
    };
    const auto gbuf = [&](bool write) { uses.push_back({{'b', c, 0, 0, i.gbuf}, write}); };
    const auto sum = [&](bool write) { uses.push_back({{'s', c, 0, 0, i.out}, write}); };
    const auto result = [&](bool write) { uses.push_back({{'a', c, 0, 0, i.out}, write}); };
    const auto bank = [&](unsigned b, bool write) {
        uses.push_back({{'m', c, b, i.row, i.column}, write});
    };
    const auto banks = [&](bool write) {
        for (unsigned b = 0; b < bank_count; ++b) bank(b, write);
    };
    switch (i.opcode) {
        case wr_gb:
            gpr(i.gpr, false), gbuf(true);
            break;
        case wr_bias:
            gpr(i.gpr, false), sum(true);
            break;
        case rd_mac:
            sum(false), gpr(i.gpr, true);
            break;
        case rd_af:
            result(false), gpr(i.gpr, true);
            break;
        case wr_sbk:
            gpr(i.gpr, false), bank(i.bank, true);
            break;
        case wr_abk:
            gpr(i.gpr, false), banks(true);
            break;
        case rd_sbk:
            bank(i.bank, false), gpr(i.gpr, true);
            break;
        case write_mem:
            bank(i.bank, true);
            break;
        case read_mem:
            bank(i.bank, false);
            break;
        case copy_bkgb:
            bank(i.bank, false), gbuf(true);
            break;
        case copy_gbbk:
            gbuf(false), bank(i.bank, true);
            break;
        case mac_sbk:
        case mac_abk:
            if (i.opcode == mac_abk || event.mac_source != 0) {
                banks(false);
            } else {
                bank(i.bank, false);
            }
            if (event.mac_source == 0) gbuf(false);
            sum(true);
            break;
        case af:
            sum(false), result(true);
            break;
        case ewmul:
            banks(true);
            break;
        case ewadd:
            for (std::uint32_t k = 0; k < i.opsize; ++k)
                gpr(i.gpr + k, true), gpr(i.gpr2 + k, true);
            break;
        case write_gpr:
        case read_gpr:
            gpr(i.gpr, i.opcode == write_gpr);
            break;
        default:
            break;
    }
    return uses;
}

std::string place(const Event& event) {
    return fmt::format("instruction {} column {} entry {} at {}", event.instruction,
                       event.what.column, event.what.gbuf, event.cycle);
}

// The first pair that changed its order or came too near; empty if there is none.
std::string broken_order(const std::vector<Event>& events) {
    std::map<Resource, std::vector<Use>> uses;
    for (const Event& event : events) {
        for (const auto& [resource, write] : uses_of(event)) {
            uses[resource].push_back({&event, write});
        }
    }
    for (const auto& [resource, list] : uses) {
        for (std::size_t b = 0; b < list.size(); ++b) {
            for (std::size_t a = 0; a < b; ++a) {
                if (!list[a].write && !list[b].write) continue;
                const Event& first = *list[a].event;
                const Event& second = *list[b].event;
                if (first.instruction == second.instruction) continue;
                // Buffers and registers hand over what has completed; rows and sums of MACs are
                // pipelined behind each other.
                const bool macs =
                    std::get<0>(resource) == 's' && first.what.opcode != Opcode::wr_bias &&
                    second.what.opcode != Opcode::rd_mac && second.what.opcode != Opcode::af;
                // What is overwritten unread only needs the order.
                const bool overwrites =
                    list[b].write && second.what.opcode != Opcode::ewadd &&
                    (std::get<0>(resource) != 's' || second.what.opcode == Opcode::wr_bias);
                const bool hands_over =
                    std::get<0>(resource) != 'm' && !macs && !overwrites && list[a].write;
                if (first.instruction > second.instruction ||
                    (hands_over && first.completion > second.cycle)) {
                    return fmt::format("resource {}: {} before {}", std::get<0>(resource),
                                       place(first), place(second));
                }
            }
        }
    }
    return "";
}

template <typename Map>
bool same_bits(const Map& a, const Map& b) {
    if (a.size() != b.size()) return false;
    for (auto i = a.begin(), k = b.begin(); i != a.end(); ++i, ++k) {
        if (i->first != k->first) return false;
        if constexpr (std::is_same_v<typename Map::mapped_type, float>) {
            if (std::bit_cast<std::uint32_t>(i->second) !=
                std::bit_cast<std::uint32_t>(k->second)) {
                return false;
            }
        } else if (i->second.bits != k->second.bits) {
            return false;
        }
    }
    return true;
}

// Different values everywhere, small enough for sums to stay finite.
void fill(reference::ReferenceMachine& machine) {
    for (unsigned n = 0; n < 2100 * lanes; ++n) {
        machine.gprs[n] = to_bf16(static_cast<float>(n % 251) / 64 - 2);
    }
}

void expect_order_and_data(Scheduler scheduler) {
    const Program program =
        random_overlap_program({.most_instructions = 60, .for_data = true, .host_accesses = true});
    SimulationOptions options;
    options.scheduler = scheduler;
    options.refresh = *rc::gen::element(RefreshMode::off, RefreshMode::all_bank);
    OverlapLog log;
    RC_ASSERT(run_overlapped(program, shipped_timing(), options, &log).ok());
    const std::vector<Event> events = events_of(program, log, shipped_timing());
    RC_ASSERT(broken_order(events) == "");

    reference::ReferenceMachine in_program_order, in_issue_order;
    fill(in_program_order);
    fill(in_issue_order);
    for (const Instruction& i : program.instructions) {
        if (i.opcode == Opcode::eoc) break;
        in_program_order.run(i);
    }
    for (const Event& event : events) {
        in_issue_order.cfr = {event.mac_source, event.ewmul_width, event.function};
        in_issue_order.run(event.what);
    }
    RC_ASSERT(same_bits(in_program_order.gprs, in_issue_order.gprs));
    RC_ASSERT(same_bits(in_program_order.banks, in_issue_order.banks));
    RC_ASSERT(same_bits(in_program_order.gbufs, in_issue_order.gbufs));
    RC_ASSERT(same_bits(in_program_order.accumulators, in_issue_order.accumulators));
    RC_ASSERT(same_bits(in_program_order.activations, in_issue_order.activations));
}

RC_GTEST_PROP(OverlapOrder, dcs_changes_no_data, ()) {
    expect_order_and_data(Scheduler::dcs);
}
RC_GTEST_PROP(OverlapOrder, ping_pong_changes_no_data, ()) {
    expect_order_and_data(Scheduler::ping_pong);
}

// A checker that finds nothing would prove nothing.
TEST(OverlapOrder, the_checker_finds_a_read_before_its_write) {
    const auto event = [](std::uint64_t number, Cycle cycle, Opcode opcode) {
        Event e;
        e.instruction = number;
        e.cycle = cycle;
        e.completion = cycle + 3;
        e.what.opcode = opcode;
        e.what.mask = 1;
        return e;
    };
    EXPECT_EQ(broken_order({event(0, 1, Opcode::wr_gb), event(1, 4, Opcode::mac_abk)}), "");
    EXPECT_NE(broken_order({event(0, 1, Opcode::wr_gb), event(1, 3, Opcode::mac_abk)}), "");
    EXPECT_NE(broken_order({event(1, 1, Opcode::mac_abk), event(0, 4, Opcode::wr_gb)}), "");
}

}  // namespace
}  // namespace memside::pim
