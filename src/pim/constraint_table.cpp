#include "pim/constraint_table.h"

#include <bit>

namespace memside::pim {
namespace {

using enum Command;

// A refresh opens and closes rows inside the banks: it follows other commands as an ACT does.
constexpr CommandSet opening = set_of(act, act16, ref_all_bank, ref_per_bank);
constexpr CommandSet activates = set_of(act, act16);
constexpr CommandSet precharges = set_of(pre, prea);

void add_command_bus(const Timing& t, std::vector<Constraint>& list) {
    list.push_back({"1", all_commands, all_commands, Scope::channel, 1});
    list.push_back({"nMODCH", set_of(tmod), all_commands, Scope::channel, t.nMODCH});
}

void add_data_bus(const Timing& t, std::vector<Constraint>& list) {
    const CommandSet reads = set_of(rd, rdmac16, rdaf16, mac, mac16, rdcp);
    const CommandSet writes = set_of(wr, wra16, wrgb, wrcp, wrmac16);
    list.push_back({"nCCDS", reads, reads, Scope::channel, t.nCCDS});
    list.push_back({"nCCDS", writes, writes, Scope::channel, t.nCCDS});
    // Columns of all banks and registers next to columns of the array.
    const CommandSet array_reads = reads | set_of(ewmul16);
    const CommandSet wide_reads = set_of(rdmac16, rdaf16, mac16, ewmul16);
    list.push_back({"nCCDL", array_reads, wide_reads, Scope::channel, t.nCCDL});
    list.push_back({"nCCDL", wide_reads, array_reads, Scope::channel, t.nCCDL});
    const CommandSet array_writes = set_of(wr, wrcp, wra16, wrmac16, ewmul16);
    const CommandSet wide_writes = set_of(wra16, wrmac16, ewmul16);
    list.push_back({"nCCDL", array_writes, wide_writes, Scope::channel, t.nCCDL});
    list.push_back({"nCCDL", wide_writes, array_writes, Scope::channel, t.nCCDL});
}

void add_turnaround(const Timing& t, std::vector<Constraint>& list) {
    const CommandSet register_reads = set_of(rdmac16, rdaf16);
    const CommandSet out = set_of(rd) | register_reads;
    const auto add = [&](std::string_view name, CommandSet first, CommandSet next, int cycles,
                         Scope scope = Scope::channel) {
        list.push_back({name, first, next, scope, cycles});
    };
    add("nCWLGB + nBL + nWTRS", set_of(wrgb), out, t.nCWLGB + t.nBL + t.nWTRS);
    add("nCWLREG + nBL + nWTRL", set_of(wrmac16), out, t.nCWLREG + t.nBL + t.nWTRL);
    add("nCWL + nBL + nWTRL", set_of(wra16), out, t.nCWL + t.nBL + t.nWTRL);
    add("nCWL + nBL + nWTRS", set_of(wr), set_of(rd), t.nCWL + t.nBL + t.nWTRS);
    add("nCWL + nBL + nWTRL", set_of(wr), set_of(rd), t.nCWL + t.nBL + t.nWTRL, Scope::group);
    add("nCWL + nBL + nWTRL", set_of(wr), register_reads, t.nCWL + t.nBL + t.nWTRL);
    const int from_register = t.nCLREG + t.nBL + t.nRTW;
    add("nCLREG + nBL + nRTW - nCWLGB", register_reads, set_of(wrgb), from_register - t.nCWLGB);
    add("nCLREG + nBL + nRTW - nCWLREG", register_reads, set_of(wrmac16),
        from_register - t.nCWLREG);
    const int from_bank = t.nCL + t.nBL + t.nRTW;
    add("nCL + nBL + nRTW - nCWLGB", set_of(rd), set_of(wrgb), from_bank - t.nCWLGB);
    add("nCL + nBL + nRTW - nCWLREG", set_of(rd), set_of(wrmac16), from_bank - t.nCWLREG);
    add("nCL + nBL + nRTW - nCWL", set_of(rd), set_of(wr, wra16), from_bank - t.nCWL);
}

void add_rows(const Timing& t, std::vector<Constraint>& list) {
    const auto add = [&](std::string_view name, CommandSet first, CommandSet next, int cycles,
                         Scope scope = Scope::bank) {
        list.push_back({name, first, next, scope, cycles});
    };
    const CommandSet one_bank = set_of(act, ref_per_bank);
    add("nRRDS", set_of(act), one_bank, t.nRRDS, Scope::channel);
    add("nRRDL", set_of(act), one_bank, t.nRRDL, Scope::group);
    add("nRC", activates, opening, t.nRC);
    add("nRAS", activates, precharges, t.nRAS);
    add("nRP", precharges, opening | precharges, t.nRP);
    add("nRCDRDMAC", activates, set_of(mac, mac16), t.nRCDRDMAC);
    add("nRCDRDAF", activates, set_of(af16), t.nRCDRDAF);
    add("nRCDEWMUL", activates, set_of(ewmul16), t.nRCDEWMUL);
    add("nRCDRDCP", activates, set_of(rdcp), t.nRCDRDCP);
    add("nRCDRD", activates, set_of(rd), t.nRCDRD);
    add("nRCDWR", activates, set_of(wr, wra16), t.nRCDWR);
    add("nRCDWRCP", activates, set_of(wrcp), t.nRCDWRCP);
    add("nRTP", set_of(rd, rdcp, mac, mac16, af16, ewmul16), precharges, t.nRTP);
    add("nCWL + nBL + nWR", set_of(wr, wrcp), precharges, t.nCWL + t.nBL + t.nWR);
    add("nCWL + nWR", set_of(ewmul16), precharges, t.nCWL + t.nWR);
    add("nCWL + nBL + nWR + nRP", set_of(wra16), opening, t.nCWL + t.nBL + t.nWR + t.nRP);
}

void add_refresh(const Timing& t, std::vector<Constraint>& list) {
    list.push_back({"nRFCab", set_of(ref_all_bank), all_commands, Scope::channel, t.nRFCab});
    // One bank at a time, and nothing that touches the bank.
    const CommandSet untouching = set_of(tmod, wrgb, wrmac16, rdmac16, rdaf16);
    const CommandSet one = set_of(ref_per_bank);
    list.push_back({"nRFCpb", one, one, Scope::channel, t.nRFCpb});
    list.push_back({"nRFCpb", one, all_commands & ~untouching, Scope::bank, t.nRFCpb});
    list.push_back({"nRRDS", one, set_of(act), Scope::channel, t.nRRDS});
    list.push_back({"nRRDL", one, set_of(act), Scope::group, t.nRRDL});
}

constexpr std::size_t levels = 3;
template <typename Visit>
void for_each(CommandSet set, const Visit& visit) {
    for (; set != 0; set &= set - 1) visit(static_cast<Command>(std::countr_zero(set)));
}

constexpr Command command_at(std::size_t i) {
    return static_cast<Command>(i);
}

}  // namespace

std::vector<Constraint> constraints_of(const Timing& timing) {
    std::vector<Constraint> list;
    add_command_bus(timing, list);
    add_data_bus(timing, list);
    add_turnaround(timing, list);
    add_rows(timing, list);
    add_refresh(timing, list);
    return list;
}

ConstraintTable::ConstraintTable(const Timing& t) {
    for (const Constraint& constraint : constraints_of(t)) {
        for_each(constraint.first, [&](Command first) {
            for_each(constraint.next, [&](Command next) {
                const bool by_bank = is_single_bank(first) && is_single_bank(next);
                const auto nearest = by_bank ? static_cast<std::size_t>(constraint.scope) : 0;
                for (std::size_t level = nearest; level < levels; ++level) {
                    auto& cycles = pairs_[level][index(first)][index(next)];
                    cycles = std::max(cycles, constraint.cycles);
                }
            });
        });
    }
    completion_.fill(1);
    const auto complete = [this](Command command, int cycles) {
        completion_[index(command)] = std::max(cycles, 1);
    };
    complete(wrgb, t.nCWLGB + t.nBL);
    complete(wrmac16, t.nCWLREG + t.nBL);
    complete(rdmac16, t.nCLREG + t.nBL);
    complete(rdaf16, t.nCLREG + t.nBL);
    complete(rd, t.nCL + t.nBL);
    complete(wr, t.nCWL + t.nBL);
    complete(wra16, t.nCWL + t.nWR + t.nWPRE);
    for (std::size_t first = 0; first < command_count; ++first) fill_gaps(command_at(first));
}

void ConstraintTable::fill_gaps(Command first) {
    const auto& far = pairs_[0][index(first)];
    Gaps& channel = channel_[index(first)];
    channel.any = *std::min_element(far.begin(), far.end());
    for (std::uint32_t next = 0; next < command_count; ++next) {
        if (far[next] > channel.any) channel.longer[channel.count++] = {next, far[next]};
        if (!is_single_bank(first) || !is_single_bank(command_at(next))) continue;
        const auto near = pairs_[1][index(first)][next];
        const auto same = pairs_[2][index(first)][next];
        Gaps& group = group_[index(first)];
        Gaps& bank = bank_[index(first)];
        if (near > far[next]) group.longer[group.count++] = {slots[next], near};
        if (same > near) bank.longer[bank.count++] = {slots[next], same};
    }
}

}  // namespace memside::pim
