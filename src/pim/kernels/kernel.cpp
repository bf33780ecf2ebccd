#include "pim/kernels/kernel.h"

#include <cassert>

namespace memside::pim {

Status check_size(std::string_view name, std::uint64_t size, std::uint64_t most) {
    if (size >= 1 && size <= most) return {};
    return bad_input("kernel", fmt::format("{} is {}; allowed: 1 to {}", name, size, most));
}

Status check_room(const KernelOptions& options, std::uint64_t rows, std::uint64_t gprs) {
    MEMSIDE_CHECK(check_size("the number of channels", options.channels, channel_count));
    if (options.first_row + rows > rows_per_bank) {
        return bad_input("kernel", fmt::format("needs {} rows from row {} on; a bank has {}", rows,
                                               options.first_row, rows_per_bank));
    }
    if (options.first_gpr + gprs > gpr_entries) {
        return bad_input("kernel", fmt::format("needs {} registers from GPR {} on; a module has {}",
                                               gprs, options.first_gpr, gpr_entries));
    }
    return {};
}

namespace {

Tile padded_tile(std::span<const Bf16> values, std::uint32_t index) {
    Tile tile;
    tile.written = 0xFFFF;
    const std::size_t start = std::size_t{index} * lanes;
    for (std::size_t i = 0; i < lanes && start + i < values.size(); ++i) {
        tile.values[i] = values[start + i];
    }
    return tile;
}

}  // namespace

void place_in_row(std::span<const Bf16> values, std::uint32_t tiles, const Place& first,
                  Memory& memory) {
    assert(values.size() <= std::size_t{tiles} * lanes);
    for (std::uint32_t i = 0; i < tiles; ++i) {
        memory.bank(first.channel, first.bank, first.row, first.entry + i) = padded_tile(values, i);
    }
}

void place_in_gprs(std::span<const Bf16> values, std::uint32_t tiles, std::uint32_t first,
                   Memory& memory) {
    assert(values.size() <= std::size_t{tiles} * lanes);
    for (std::uint32_t i = 0; i < tiles; ++i) memory.gpr(first + i) = padded_tile(values, i);
}

std::vector<Bf16> gather_gprs(std::uint32_t first, std::size_t count, const Memory& memory) {
    std::vector<Bf16> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        values[i] = memory.gpr(first + static_cast<std::uint32_t>(i / lanes)).values[i % lanes];
    }
    return values;
}

}  // namespace memside::pim
