#include "pim/tick_spacing.h"

#include <algorithm>
#include <initializer_list>

namespace memside::pim::ticking {
namespace {

using enum Command;
using Set = std::initializer_list<Command>;

bool in(Command command, Set set) {
    return std::find(set.begin(), set.end(), command) != set.end();
}

constexpr Set to_act = {act, act16, ref_all_bank, ref_per_bank};  // a refresh opens rows inside
constexpr Set to_pre = {pre, prea};

int column_spacing(Command first, Command next) {
    const Set reads = {rd, rdmac16, rdaf16, mac, mac16, rdcp};
    const Set writes = {wr, wra16, wrgb, wrcp, wrmac16};
    if (in(first, reads) && in(next, reads)) return 2;
    if (in(first, writes) && in(next, writes)) return 2;
    const Set array_reads = {rd, mac, rdcp, rdmac16, rdaf16, mac16, ewmul16};
    const Set all_bank_reads = {rdmac16, rdaf16, mac16, ewmul16};
    if (in(first, array_reads) && in(next, array_reads) &&
        (in(first, all_bank_reads) || in(next, all_bank_reads))) {
        return 2;
    }
    const Set array_writes = {wr, wrcp, wra16, wrmac16, ewmul16};
    const Set all_bank_writes = {wra16, wrmac16, ewmul16};
    if (in(first, array_writes) && in(next, array_writes) &&
        (in(first, all_bank_writes) || in(next, all_bank_writes))) {
        return 2;
    }
    return 1;
}

int turnaround(Command first, Command next, Relation relation) {
    if (in(next, {rd, rdmac16, rdaf16})) {
        if (first == wrgb) return 12;
        if (first == wrmac16) return 14;
        if (first == wra16) return 19;
        if (first == wr) return next == rd && relation == Relation::other_group ? 17 : 19;
    }
    if (in(first, {rdmac16, rdaf16}) && in(next, {wrgb, wrmac16})) return 5;
    if (first == rd && in(next, {wrgb, wrmac16})) return 55;
    if (first == rd && in(next, {wr, wra16})) return 50;
    return 1;
}

int from_act(Command first, Command next, Relation relation) {
    const bool same = relation == Relation::same_bank;
    if (same && in(next, to_act)) return 89;
    if (in(next, {act, ref_per_bank})) return relation == Relation::same_group ? 6 : 5;
    if (!same) return 1;
    if (in(next, to_pre)) return 54;
    switch (next) {
        case mac16:
        case mac:
            return 56;
        case af16:
            return 86;
        case ewmul16:
            return 25;
        case wra16:
        case wr:
            return 28;
        case rdcp:
            return 66;
        case rd:
            return 36;
        case wrcp:
            return 48;
        default:
            return first == next ? 89 : 1;
    }
}

int from_refresh(Command first, Command next, Relation relation, const TickRefresh& refresh) {
    if (first == ref_all_bank) return refresh.all_bank;
    // One bank at a time, and nothing that touches the bank.
    if (next == ref_per_bank) return refresh.per_bank;
    const bool touches = is_all_bank(next) || is_single_bank(next);
    if (relation == Relation::same_bank && touches) return refresh.per_bank;
    if (next == act) return relation == Relation::same_group ? 6 : 5;
    return 1;
}

int row_spacing(Command first, Command next, Relation relation) {
    if (in(first, {act, act16})) return from_act(first, next, relation);
    if (relation != Relation::same_bank) return 1;
    if (in(first, to_pre) && (in(next, to_act) || in(next, to_pre))) return 32;
    if (in(next, to_pre)) {
        if (in(first, {rd, rdcp, mac, mac16, af16})) return 12;
        if (in(first, {wr, wrcp})) return 41;
        if (first == ewmul16) return 39;
    }
    if (first == wra16 && in(next, to_act)) return 73;
    return 1;
}

}  // namespace

bool is_all_bank(Command command) {
    return in(command, {act16, prea, mac16, af16, ewmul16, wra16, ref_all_bank});
}

bool is_single_bank(Command command) {
    switch (command) {
        case act:
        case pre:
        case rd:
        case wr:
        case rdcp:
        case wrcp:
        case mac:
        case ref_per_bank:
            return true;
        default:
            return false;
    }
}

bool is_row_command(Command command) {
    return in(command, {act, act16, pre, prea});
}

int spacing(Command first, Command next, Relation relation, const TickRefresh& refresh) {
    if (first == tmod) return 32;
    if (in(first, {ref_all_bank, ref_per_bank})) {
        return from_refresh(first, next, relation, refresh);
    }
    return std::max({column_spacing(first, next), turnaround(first, next, relation),
                     row_spacing(first, next, relation)});
}

SpacingTable::SpacingTable(const TickRefresh& refresh) {
    for (std::size_t first = 0; first < command_count; ++first) {
        for (std::size_t next = 0; next < command_count; ++next) {
            for (std::size_t relation = 0; relation < 3; ++relation) {
                cycles[first][relation][next] =
                    spacing(static_cast<Command>(first), static_cast<Command>(next),
                            static_cast<Relation>(relation), refresh);
            }
        }
    }
}

int completion(Command command) {
    switch (command) {
        case wrgb:
        case wrmac16:
            return 3;
        case rdmac16:
        case rdaf16:
            return 2;
        case rd:
            return 52;
        case wr:
            return 8;
        case wra16:
            return 40;
        default:
            return 1;
    }
}

}  // namespace memside::pim::ticking
