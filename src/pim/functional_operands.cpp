#include <bit>

#include "pim/functional_activation.h"
#include "pim/functional_machine.h"

namespace memside::pim {
namespace {

// Units of `size` from `first` on must lie below `limit`.
Status check_run(std::string_view what, std::uint64_t first, std::uint64_t size,
                 std::uint64_t limit, const std::string& where) {
    if (first < limit && size <= limit - first) return {};
    const std::string run = size == 1 ? fmt::format("{} {}", what, first)
                                      : fmt::format("{} {} to {}", what, first, first + size - 1);
    return bad_input(where, fmt::format("{}; allowed: 0 to {}", run, limit - 1));
}

Status check_columns(const Instruction& i, std::uint64_t size, const std::string& where) {
    MEMSIDE_CHECK(check_run("row", i.row, 1, rows_per_bank, where));
    return check_run("column", i.column, size, columns_per_row, where);
}

Status check_gprs(std::uint32_t first, std::uint64_t size, const std::string& where) {
    return check_run("GPR", first, size, gpr_entries, where);
}

Status check_register(const Instruction& i, const std::string& where) {
    static constexpr std::array<std::uint32_t, 3> values{2, 2, activation_count};
    MEMSIDE_CHECK(check_run("CFR", i.gpr, 1, values.size(), where));
    if (i.gpr2 < values[i.gpr]) return {};
    return bad_input(
        where, fmt::format("CFR {} set to {}; allowed: 0 to {}", i.gpr, i.gpr2, values[i.gpr] - 1));
}

}  // namespace

Status check_operands(const Instruction& i, const std::string& where) {
    // A read puts one tile per channel into consecutive registers; nothing addressed, no tile.
    const auto channels = static_cast<std::uint64_t>(std::popcount(i.mask));
    MEMSIDE_CHECK(check_run("bank", i.bank, 1, bank_count, where));
    MEMSIDE_CHECK(check_run("accumulator", i.out, 1, accumulator_entries, where));
    switch (i.opcode) {
        case Opcode::wr_sbk:
        case Opcode::wr_abk:
            MEMSIDE_CHECK(check_gprs(i.gpr, 1, where));
            return check_columns(i, 1, where);
        case Opcode::wr_gb:
            MEMSIDE_CHECK(check_gprs(i.gpr, i.opsize, where));
            return check_run("GBuf entry", i.gbuf, i.opsize, gbuf_entries, where);
        case Opcode::wr_bias:
        case Opcode::write_gpr:
        case Opcode::read_gpr:
            return check_gprs(i.gpr, 1, where);
        case Opcode::rd_mac:
        case Opcode::rd_af:
            return check_gprs(i.gpr, channels, where);
        case Opcode::rd_sbk:
            MEMSIDE_CHECK(check_gprs(i.gpr, channels, where));
            return check_columns(i, 1, where);
        case Opcode::copy_bkgb:
        case Opcode::copy_gbbk:
        case Opcode::mac_sbk:
        case Opcode::mac_abk:
            MEMSIDE_CHECK(check_columns(i, i.opsize, where));
            return check_run("GBuf entry", i.gbuf, i.opsize, gbuf_entries, where);
        case Opcode::ewmul:
            return check_columns(i, i.opsize, where);
        case Opcode::ewadd:
            MEMSIDE_CHECK(check_gprs(i.gpr, i.opsize, where));
            return check_gprs(i.gpr2, i.opsize, where);
        case Opcode::write_cfr:
            return check_register(i, where);
        case Opcode::write_mem:
        case Opcode::read_mem:
            MEMSIDE_CHECK(check_run("channel", i.channel, 1, channel_count, where));
            return check_columns(i, 1, where);
        case Opcode::af:
        case Opcode::sync:
        case Opcode::eoc:
            return {};
    }
    return {};
}

}  // namespace memside::pim
