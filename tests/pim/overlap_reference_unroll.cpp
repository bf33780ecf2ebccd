#include "pim/overlap_reference_unroll.h"

#include <bit>

namespace memside::pim {
namespace {

using enum Command;

Resource resource(bool halves, Resource entry) {
    if (!halves) return entry;
    if (entry.first == 'g') return {'g', entry.second / 32};
    return {'o', entry.second % 2};
}

}  // namespace

std::vector<Operand> operands(const Instruction& i) {
    const auto channels = static_cast<std::uint32_t>(std::popcount(i.mask));
    switch (i.opcode) {
        case Opcode::wr_gb:
            return {{i.gpr, i.gpr + i.opsize - 1, false}};
        case Opcode::wr_sbk:
        case Opcode::wr_abk:
        case Opcode::wr_bias:
        case Opcode::read_gpr:
            return {{i.gpr, i.gpr, false}};
        case Opcode::write_gpr:
            return {{i.gpr, i.gpr, true}};
        case Opcode::rd_mac:
        case Opcode::rd_af:
        case Opcode::rd_sbk:
            return {{i.gpr, i.gpr + channels - 1, true}};
        case Opcode::ewadd:
            return {{i.gpr, i.gpr + i.opsize - 1, true}, {i.gpr2, i.gpr2 + i.opsize - 1, true}};
        default:
            return {};
    }
}

std::size_t side_of(Opcode opcode) {
    return opcode == Opcode::wr_gb || opcode == Opcode::wr_bias || opcode == Opcode::rd_mac ||
                   opcode == Opcode::rd_af
               ? 0
               : 1;
}

std::vector<Queued> unroll(const Instruction& i, std::uint64_t number, std::uint64_t now,
                           const std::array<std::uint32_t, 3>& cfr, bool halves) {
    Queued command;
    command.what.arrival = now;
    command.what.instruction = number;
    command.what.bank = i.bank;
    command.what.column = true;
    command.row = i.row;
    std::uint32_t count = 1;
    bool gbuf = false;
    switch (i.opcode) {
        case Opcode::wr_gb:
            command.what.command = wrgb, count = i.opsize, gbuf = true;
            break;
        case Opcode::wr_bias:
            command.what.command = wrmac16, command.touches = {resource(halves, {'o', i.out})};
            break;
        case Opcode::rd_mac:
            command.what.command = rdmac16, command.touches = {resource(halves, {'o', i.out})};
            break;
        case Opcode::rd_af:
            command.what.command = rdaf16, command.touches = {resource(halves, {'a', i.out})};
            break;
        case Opcode::mac_abk:
        case Opcode::mac_sbk:
            command.what.command = i.opcode == Opcode::mac_abk ? mac16 : mac;
            count = i.opsize, gbuf = cfr[0] == 0;
            command.touches = {resource(halves, {'o', i.out})};
            break;
        case Opcode::af:
            command.what.command = af16, command.row = (1u << 29) + cfr[2];
            command.touches = {resource(halves, {'o', i.out})};
            if (!halves) command.touches.push_back({'a', i.out});
            break;
        case Opcode::copy_bkgb:
            command.what.command = rdcp, count = i.opsize, gbuf = true;
            break;
        case Opcode::copy_gbbk:
            command.what.command = wrcp, count = i.opsize, gbuf = true;
            break;
        case Opcode::ewmul:
            command.what.command = ewmul16, count = i.opsize;
            break;
        case Opcode::wr_abk:
            command.what.command = wra16;
            break;
        case Opcode::wr_sbk:
            command.what.command = wr;
            break;
        case Opcode::rd_sbk:
            command.what.command = rd;
            break;
        case Opcode::write_mem:
        case Opcode::read_mem:
            command.what.command = i.opcode == Opcode::write_mem ? wr : rd;
            break;
        default:
            return {};
    }
    command.uses_gpr = !operands(i).empty();
    std::vector<Queued> commands;
    for (std::uint32_t k = 0; k < count; ++k) {
        Queued one = command;
        one.what.offset = k;
        if (gbuf) one.touches.push_back(resource(halves, {'g', (i.gbuf + k) % 64}));
        commands.push_back(one);
    }
    return commands;
}

}  // namespace memside::pim
