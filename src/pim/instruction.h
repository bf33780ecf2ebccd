// The host instructions of GDDR6-AiM, one struct for all, and the table that says what each one
// has. Source of names, operands and modes: the public AiM simulator's instruction set, as recorded
// in docs/pim.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace memside::pim {

inline constexpr unsigned channel_count = 32;
inline constexpr unsigned bank_count = 16;  // in a channel, four groups of four
inline constexpr unsigned banks_per_group = 4;
inline constexpr std::uint32_t rows_per_bank = 16384;
inline constexpr unsigned columns_per_row = 64;      // of one tile each
inline constexpr unsigned gbuf_entries = 64;         // of one tile each
inline constexpr unsigned lanes = 16;                // bf16 values in a tile of 32 bytes
inline constexpr std::uint32_t gpr_entries = 16384;  // of one tile each: 512 KiB

enum class Opcode : std::uint8_t {
    wr_sbk,
    wr_abk,
    wr_gb,
    wr_bias,
    rd_mac,
    rd_af,
    rd_sbk,
    copy_bkgb,
    copy_gbbk,
    mac_sbk,
    mac_abk,
    af,
    ewmul,
    ewadd,
    sync,
    eoc,
    write_gpr,
    read_gpr,
    write_cfr,
    write_mem,
    read_mem,
};
inline constexpr std::size_t opcode_count = 21;

// The DRAM commands of the device; the first group opens and closes rows, TMOD changes the mode.
enum class Command : std::uint8_t {
    act,
    act16,
    pre,
    prea,
    tmod,
    rd,
    wr,
    rdcp,
    wrcp,
    mac,
    mac16,
    af16,
    ewmul16,
    wra16,
    wrgb,
    wrmac16,
    rdmac16,
    rdaf16,
    ref_all_bank,
    ref_per_bank,
};
inline constexpr std::size_t command_count = 20;

// One instruction. Fields that its opcode does not have are zero.
struct Instruction {
    Opcode opcode = Opcode::eoc;
    std::uint8_t bank = 0;     // single-bank instructions and host accesses, 0..15
    std::uint8_t written = 0;  // optional operands that the text spelled out: a set of Optional
    std::uint8_t channel = 0;  // host accesses: a plain index, 0..31
    std::uint16_t column = 0;  // first column, tiles
    std::uint16_t gbuf = 0;    // first GBuf entry
    std::uint32_t out = 0;     // accumulator entry (OBuf)
    std::uint32_t opsize = 1;  // columns or entries that the instruction unrolls to, 1 and more
    std::uint32_t mask = 0;    // bit i addresses channel 31 - i
    std::uint32_t row = 0;
    std::uint32_t gpr = 0;   // first general-purpose register; of W CFR: the register's number
    std::uint32_t gpr2 = 0;  // EWADD: the second register; of W CFR: the value

    friend bool operator==(const Instruction&, const Instruction&) = default;
};

enum Optional : std::uint8_t { optional_column = 1, optional_gbuf = 2, optional_out = 4 };

}  // namespace memside::pim
