// What the kernels of DRAM-PIM have in common: the part of a module that they use, and how vectors
// of a host lie in it. A kernel is a Program and a layout; place_...() puts operands where the
// program looks for them, gather_...() takes results from where it leaves them.
//
// Sizes that fill no tile are padded with zeros: the placing functions write them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "pim/functional_memory.h"

namespace memside::pim {

// Which registers a kernel's operands and results take.
enum class Registers : std::uint8_t {
    own,     // each its own, so that a program can run as it stands; a module has 16,384
    reused,  // the same for each transfer of a kind: the hub supplies and takes up tiles as the
             // program runs. For sizes that the registers cannot hold, in time only.
};

struct KernelOptions {
    unsigned channels = channel_count;  // 1 to 32: those that the low bits of a mask address
    std::uint32_t first_row = 0;
    std::uint32_t first_gpr = 0;
    Registers registers = Registers::own;
};

// Tiles, groups, chunks: whole units of `unit` that hold `size`.
constexpr std::uint32_t units(std::uint64_t size, std::uint64_t unit) {
    return static_cast<std::uint32_t>((size + unit - 1) / unit);
}

// The mask of all channels of a kernel, and the channel with number `i` of them, ascending.
constexpr std::uint32_t channel_mask(unsigned channels) {
    return channels == channel_count ? ~0U : (1U << channels) - 1U;
}
constexpr unsigned channel_at(unsigned channels, unsigned i) {
    return channel_count - channels + i;
}

// Vectors of a matrix dealt out for MAC_ABK: 16 neighbours to the banks of a channel, 16 more to
// the next channel. A group is what all channels hold of one vector per bank; results of a group
// stand in order in as many registers as there are channels.
struct Dealing {
    unsigned channels = channel_count;

    std::uint32_t per_group() const { return channels * bank_count; }
    std::uint32_t group(std::uint32_t vector) const { return vector / per_group(); }
    unsigned channel(std::uint32_t vector) const {
        return channel_at(channels, vector / bank_count % channels);
    }
    unsigned bank(std::uint32_t vector) const { return vector % bank_count; }
};

// bad_input when the options are out of range, or `rows` and `gprs` from their first on do not fit.
Status check_room(const KernelOptions& options, std::uint64_t rows, std::uint64_t gprs);
// bad_input when a size is 0 or above `most`.
Status check_size(std::string_view name, std::uint64_t size, std::uint64_t most);

// Writes `values` and zeros after them into `tiles` consecutive columns of a row, or registers.
void place_in_row(std::span<const Bf16> values, std::uint32_t tiles, const Place& first,
                  Memory& memory);
void place_in_gprs(std::span<const Bf16> values, std::uint32_t tiles, std::uint32_t first,
                   Memory& memory);
// The values of consecutive registers.
std::vector<Bf16> gather_gprs(std::uint32_t first, std::size_t count, const Memory& memory);

}  // namespace memside::pim
