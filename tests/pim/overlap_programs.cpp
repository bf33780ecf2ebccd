#include "pim/overlap_programs.h"

#include <rapidcheck.h>
#include <algorithm>

namespace memside::pim {
namespace {

template <typename T>
T below(T count) {
    return *rc::gen::inRange<T>(0, count);
}

// Operands that an opcode does not have are zero.
Instruction cleared(Instruction i) {
    using enum Opcode;
    const auto among = [&](std::initializer_list<Opcode> set) {
        return std::find(set.begin(), set.end(), i.opcode) != set.end();
    };
    if (!among({wr_sbk, wr_abk, rd_sbk, copy_bkgb, copy_gbbk, mac_sbk, mac_abk, ewmul, write_mem,
                read_mem})) {
        i.row = 0;
    }
    if (!among({wr_sbk, rd_sbk, copy_bkgb, copy_gbbk, mac_sbk, write_mem, read_mem})) i.bank = 0;
    if (!among({wr_sbk, wr_abk, wr_gb, wr_bias, rd_mac, rd_af, rd_sbk, ewadd, write_gpr, read_gpr,
                write_cfr})) {
        i.gpr = 0;
    }
    if (!among({wr_bias, rd_mac, rd_af, mac_sbk, mac_abk, af})) i.out = 0;
    if (!among({wr_gb, copy_bkgb, copy_gbbk, mac_sbk, mac_abk})) i.gbuf = 0;
    if (i.opcode == wr_gb) i.column = 0;
    return i;
}

Instruction random_instruction(const RandomProgramShape& shape,
                               const std::vector<std::uint32_t>& masks, int rows, int gprs,
                               int outs) {
    using enum Opcode;
    static const std::vector<Opcode> all = {
        wr_sbk, wr_abk, wr_gb,     wr_gb,     wr_bias,   wr_bias,  rd_mac,    rd_mac,    rd_mac,
        rd_af,  rd_sbk, copy_bkgb, copy_gbbk, mac_sbk,   mac_abk,  mac_abk,   mac_abk,   mac_abk,
        af,     ewmul,  ewadd,     sync,      write_gpr, read_gpr, write_cfr, write_mem, read_mem};
    Instruction i;
    i.opcode = all[below(all.size())];
    if (!shape.host_accesses && (i.opcode == write_mem || i.opcode == read_mem)) i.opcode = mac_abk;
    if (i.opcode == sync && below(3) != 0) i.opcode = mac_abk;
    if (i.opcode == sync) return i;
    if (i.opcode == write_cfr) {
        i.gpr = below(3u);
        i.gpr2 = below(i.gpr == 2 ? 8u : 2u);
        return i;
    }
    i.mask = masks[below(masks.size())];
    i.row = static_cast<std::uint32_t>(below(rows));
    i.bank = static_cast<std::uint8_t>(below(3) * 5);
    i.gpr = static_cast<std::uint32_t>(below(gprs));
    switch (i.opcode) {
        case wr_gb:
        case copy_bkgb:
        case copy_gbbk:
        case mac_sbk:
        case mac_abk:
        case ewmul:
            i.opsize = *rc::gen::element(1u, 2u, 3u, 8u, 20u, 40u, 64u);
            i.column = static_cast<std::uint16_t>(below(65 - i.opsize));
            i.gbuf = static_cast<std::uint16_t>(below(shape.for_data ? 65 - i.opsize : 64u));
            i.out = static_cast<std::uint32_t>(below(outs));
            break;
        case ewadd:
            i.opsize = 1 + below(5u);
            i.gpr2 = static_cast<std::uint32_t>(below(gprs));
            i.mask = 0;
            break;
        case write_gpr:
        case read_gpr:
            i.mask = 0;
            break;
        case write_mem:
        case read_mem:
            i.mask = 0;
            i.gpr = 0;
            i.channel = static_cast<std::uint8_t>(*rc::gen::element(0, 31, 30, 3));
            break;
        case wr_sbk:
        case wr_abk:
        case rd_sbk:
            i.column = static_cast<std::uint16_t>(below(4));
            break;
        default:
            i.out = static_cast<std::uint32_t>(below(outs));
            break;
    }
    return i;
}

}  // namespace

Program random_overlap_program(const RandomProgramShape& shape) {
    const int count = 1 + below(shape.most_instructions);
    const int rows = *rc::gen::element(1, 2, 5);
    const int gprs = *rc::gen::element(2, 20, 200, 2000);
    const int outs = *rc::gen::element(1, 2, 3, 64);
    const auto masks = *rc::gen::element(
        std::vector<std::uint32_t>{1}, std::vector<std::uint32_t>{1, 2, 3},
        std::vector<std::uint32_t>{~0u}, std::vector<std::uint32_t>{~0u, 1, 0x80000000u, 0xf0});
    Program program;
    for (int k = 0; k < count; ++k) {
        program.instructions.push_back(cleared(random_instruction(shape, masks, rows, gprs, outs)));
    }
    if (below(2) == 0) program.instructions.push_back({.opcode = Opcode::eoc});
    return program;
}

Timing random_timing() {
    Timing t = shipped_timing();
    const int changes = below(8);
    int* const cells[] = {&t.nBL,       &t.nCL,      &t.nCWL,     &t.nRCDRD, &t.nRCDRDMAC,
                          &t.nRCDEWMUL, &t.nRCDRDAF, &t.nRCDRDCP, &t.nRCDWR, &t.nRCDWRCP,
                          &t.nRP,       &t.nRAS,     &t.nRC,      &t.nWR,    &t.nRTP,
                          &t.nRRDS,     &t.nRRDL,    &t.nCCDS,    &t.nWTRS,  &t.nWTRL,
                          &t.nMODCH,    &t.nCLREG,   &t.nCWLREG,  &t.nCWLGB, &t.nRTW};
    for (int k = 0; k < changes; ++k) *cells[below(std::size(cells))] = 1 + below(90);
    // Refresh as often as it can be, so that short programs meet it.
    t.nREFI = *rc::gen::element(3800, 6400, t.nRFCab + t.nRP + 500);
    t.nREFI = std::max(t.nREFI, static_cast<int>(bank_count) * (t.nRFCpb + t.nRP + 20));
    return t;
}

}  // namespace memside::pim
