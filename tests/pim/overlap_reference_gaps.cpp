#include <algorithm>

#include "pim/overlap_reference.h"

namespace memside::pim {
namespace {

using enum Command;

bool among(Command command, std::initializer_list<Command> set) {
    return std::find(set.begin(), set.end(), command) != set.end();
}

bool all_bank(Command c) {
    return among(c, {act16, prea, mac16, af16, ewmul16, wra16, ref_all_bank});
}

bool same_bank(Command a, unsigned bank_a, Command b, unsigned bank_b) {
    return all_bank(a) || all_bank(b) || bank_a == bank_b;
}

int rows(const Timing& t, Command a, unsigned bank_a, Command b, unsigned bank_b) {
    const bool same = same_bank(a, bank_a, b, bank_b);
    const bool same_group = bank_a / banks_per_group == bank_b / banks_per_group;
    const bool opens = among(a, {act, act16});
    if (opens && among(b, {act, act16, ref_all_bank, ref_per_bank})) {
        const int near = a == act && among(b, {act, ref_per_bank})
                             ? std::max(t.nRRDS, same_group ? t.nRRDL : 0)
                             : 0;
        return std::max(near, same ? t.nRC : 0);
    }
    if (opens && same) {
        switch (b) {
            case mac:
            case mac16:
                return t.nRCDRDMAC;
            case af16:
                return t.nRCDRDAF;
            case ewmul16:
                return t.nRCDEWMUL;
            case wra16:
            case wr:
                return t.nRCDWR;
            case rdcp:
                return t.nRCDRDCP;
            case wrcp:
                return t.nRCDWRCP;
            case rd:
                return t.nRCDRD;
            case pre:
            case prea:
                return t.nRAS;
            default:
                return 1;
        }
    }
    const bool closes = among(b, {pre, prea});
    if (among(a, {pre, prea}) && same) {
        if (closes || among(b, {act, act16, ref_all_bank, ref_per_bank})) return t.nRP;
    }
    if (closes && same) {
        if (a == ewmul16) return std::max(t.nRTP, t.nCWL + t.nWR);
        if (among(a, {rd, rdcp, mac, mac16, af16})) return t.nRTP;
        if (among(a, {wr, wrcp})) return t.nCWL + t.nBL + t.nWR;
    }
    if (a == wra16 && among(b, {act, act16, ref_all_bank, ref_per_bank})) {
        return t.nCWL + t.nBL + t.nWR + t.nRP;
    }
    if (a == ref_all_bank) return t.nRFCab;
    if (a == ref_per_bank) {
        if (b == ref_per_bank) return t.nRFCpb;
        if (same && !among(b, {tmod, wrgb, wrmac16, rdmac16, rdaf16})) return t.nRFCpb;
        if (b == act) return std::max(t.nRRDS, same_group ? t.nRRDL : 0);
    }
    return 1;
}

int turnaround(const Timing& t, Command a, unsigned bank_a, Command b, unsigned bank_b) {
    const bool reads_registers = among(b, {rdmac16, rdaf16});
    if (a == wrgb && (b == rd || reads_registers)) return t.nCWLGB + t.nBL + t.nWTRS;
    if (a == wrmac16 && (b == rd || reads_registers)) return t.nCWLREG + t.nBL + t.nWTRL;
    if (a == wra16 && (b == rd || reads_registers)) return t.nCWL + t.nBL + t.nWTRL;
    if (a == wr && reads_registers) return t.nCWL + t.nBL + t.nWTRL;
    if (a == wr && b == rd) {
        const bool group = bank_a / banks_per_group == bank_b / banks_per_group;
        return t.nCWL + t.nBL + std::max(t.nWTRS, group ? t.nWTRL : 0);
    }
    if (among(a, {rd, rdmac16, rdaf16})) {
        const int latency = a == rd ? t.nCL : t.nCLREG;
        if (b == wrgb) return latency + t.nBL + t.nRTW - t.nCWLGB;
        if (b == wrmac16) return latency + t.nBL + t.nRTW - t.nCWLREG;
        if (a == rd && among(b, {wr, wra16})) return latency + t.nBL + t.nRTW - t.nCWL;
    }
    return 1;
}

int spacing(const Timing& t, Command a, Command b) {
    const auto both = [=](std::initializer_list<Command> set) {
        return among(a, set) && among(b, set);
    };
    const auto one = [=](std::initializer_list<Command> set) {
        return among(a, set) || among(b, set);
    };
    int cycles = 1;
    if (both({rd, rdmac16, rdaf16, mac, mac16, rdcp})) cycles = std::max(cycles, t.nCCDS);
    if (both({wr, wra16, wrgb, wrcp, wrmac16})) cycles = std::max(cycles, t.nCCDS);
    if (both({rd, mac, rdcp, rdmac16, rdaf16, mac16, ewmul16}) &&
        one({rdmac16, rdaf16, mac16, ewmul16})) {
        cycles = std::max(cycles, t.nCCDL);
    }
    if (both({wr, wrcp, wra16, wrmac16, ewmul16}) && one({wra16, wrmac16, ewmul16})) {
        cycles = std::max(cycles, t.nCCDL);
    }
    return cycles;
}

// What a command keeps going, and for how long.
std::pair<Activity, int> activity_of(const ReferenceCommand& c, const Timing& t) {
    if (c.refresh) {
        const int cycles = c.command == ref_all_bank   ? t.nRFCab
                           : c.command == ref_per_bank ? t.nRFCpb
                                                       : t.nRP;
        return {Activity::refresh, cycles};
    }
    switch (c.command) {
        case act:
        case act16:
            return {Activity::row, static_cast<int>(reference_gap(t, act, 0, c.opens_for, 0))};
        case pre:
        case prea:
            return {Activity::row, t.nRP};
        case tmod:
            return {Activity::mode_switch, t.nMODCH};
        case mac:
        case mac16:
            return {Activity::mac, t.nCCDS};
        case af16:
        case ewmul16:
            return {Activity::other_compute, t.nCCDS};
        case rdcp:
        case wrcp:
            return {Activity::gbuf_transfer, t.nCCDS};
        case wrgb:
            return {Activity::gbuf_transfer,
                    std::max(t.nCCDS, static_cast<int>(reference_completion(t, c.command)))};
        case wrmac16:
        case rdmac16:
        case rdaf16:
            return {Activity::output_transfer,
                    std::max(t.nCCDS, static_cast<int>(reference_completion(t, c.command)))};
        default:
            return {Activity::bank_transfer, t.nCCDS};
    }
}

}  // namespace

std::uint64_t reference_gap(const Timing& t, Command a, unsigned bank_a, Command b,
                            unsigned bank_b) {
    return static_cast<std::uint64_t>(std::max(
        {1, rows(t, a, bank_a, b, bank_b), turnaround(t, a, bank_a, b, bank_b), spacing(t, a, b)}));
}

std::uint64_t reference_completion(const Timing& t, Command command) {
    int cycles = 1;
    if (command == wrgb) cycles = t.nCWLGB + t.nBL;
    if (command == wrmac16) cycles = t.nCWLREG + t.nBL;
    if (command == rdmac16 || command == rdaf16) cycles = t.nCLREG + t.nBL;
    if (command == rd) cycles = t.nCL + t.nBL;
    if (command == wr) cycles = t.nCWL + t.nBL;
    if (command == wra16) cycles = std::max(1, t.nCWL + t.nWR + t.nWPRE);
    return static_cast<std::uint64_t>(cycles);
}

std::array<std::uint64_t, activity_count> reference_activity(
    const std::vector<ReferenceCommand>& commands, std::uint64_t cycles, const Timing& timing) {
    std::array<std::uint64_t, activity_count> count{};
    for (std::uint64_t cycle = 1; cycle <= cycles; ++cycle) {
        Activity best = Activity::waiting;
        for (const ReferenceCommand& c : commands) {
            if (c.cycle > cycle) {
                // Nothing is under way: the next command says whether it was held back.
                if (best == Activity::waiting && c.arrival <= cycle) {
                    best = activity_of(c, timing).first;
                    // Compute commands count for themselves alone.
                    if (best <= Activity::other_compute) best = Activity::mode_switch;
                }
                break;
            }
            const auto [activity, busy] = activity_of(c, timing);
            if (cycle < c.cycle + static_cast<std::uint64_t>(busy)) best = std::min(best, activity);
        }
        ++count[static_cast<std::size_t>(best)];
    }
    return count;
}

}  // namespace memside::pim
