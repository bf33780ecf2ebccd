// What the channels of one module hold, on data: banks, global buffers, accumulators, activation
// results, and the hub's general-purpose registers. Every value remembers whether it was written,
// so that a program that reads what nobody wrote is told so.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pim/bf16.h"
#include "pim/instruction.h"

namespace memside::pim {

// 32 bytes, the unit of every transfer.
struct Tile {
    std::array<Bf16, lanes> values{};  // +0 where nothing was written
    std::uint16_t written = 0;         // bit i: lane i

    bool complete() const { return written == 0xFFFF; }
    void set(unsigned lane, Bf16 value) {
        values[lane] = value;
        written = static_cast<std::uint16_t>(written | 1U << lane);
    }
};

// One accumulator of each of the 16 banks.
struct Accumulator {
    std::array<float, bank_count> sums{};
    std::uint16_t written = 0;  // bit b: bank b
};

enum class Space : std::uint8_t { bank, gbuf, gpr, accumulator, activation };

// Where a tile lies. Fields that its space does not have are zero.
struct Place {
    Space space = Space::gpr;
    unsigned channel = 0;
    unsigned bank = 0;  // of an accumulator: its bank
    std::uint32_t row = 0;
    std::uint32_t entry = 0;  // the column, the GBuf or accumulator entry, or the register

    // "channel 3 bank 0 row 17 column 2", as it stands in messages.
    std::string name() const;
    friend bool operator==(const Place&, const Place&) = default;
};

// Bank rows take memory when they are first written; a row is 2 KiB of values.
class Memory {
  public:
    Memory();

    // nullptr when nothing of the row was ever written.
    const Tile* find(unsigned channel, unsigned bank, std::uint32_t row, unsigned column) const;
    Tile& bank(unsigned channel, unsigned bank, std::uint32_t row, unsigned column);

    Tile& gbuf(unsigned channel, unsigned entry) { return channels_[channel].gbuf[entry]; }
    const Tile& gbuf(unsigned channel, unsigned entry) const {
        return channels_[channel].gbuf[entry];
    }
    Tile& gpr(std::uint32_t entry) { return gprs_[entry]; }
    const Tile& gpr(std::uint32_t entry) const { return gprs_[entry]; }

    // A reference stays valid until another entry is named.
    Accumulator& accumulator(unsigned channel, std::uint32_t out) {
        return entry(channels_[channel].accumulators, out);
    }
    // Lane b is bank b's result.
    Tile& activation(unsigned channel, std::uint32_t out) {
        return entry(channels_[channel].activations, out);
    }

  private:
    using Row = std::array<Tile, columns_per_row>;
    using Bank = std::vector<std::unique_ptr<Row>>;  // by row; empty until the first write
    struct Channel {
        std::array<Bank, bank_count> banks;
        std::array<Tile, gbuf_entries> gbuf;
        std::vector<Accumulator> accumulators;  // as many as were named
        std::vector<Tile> activations;
    };

    template <typename Entry>
    static Entry& entry(std::vector<Entry>& entries, std::uint32_t index) {
        if (entries.size() <= index) entries.resize(std::size_t{index} + 1);
        return entries[index];
    }

    std::vector<Channel> channels_;
    std::vector<Tile> gprs_;
};

}  // namespace memside::pim
