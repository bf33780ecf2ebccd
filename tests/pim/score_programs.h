// QK^T at head dimension 128 for eight KV heads whose keys share a row, in the orders that a
// compiler may write it: the programs behind docs/pim-scheduling.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "pim/program.h"

namespace memside::pim {

enum class ScoreOrder : std::uint8_t {
    artifact,      // WR_GB 64, then per head WR_BIAS, MAC_ABK 8, RD_MAC; one accumulator
    accumulators,  // the same, each head with its own accumulator
    halves,        // four heads compute while the transfers of four others stand behind them
    whole,         // eight heads compute, each followed by the transfers of its successor
};
inline constexpr std::size_t score_order_count = 4;
std::string_view name_of(ScoreOrder order);

struct ScoreShape {
    std::uint32_t tokens = 8192;  // a multiple of 512: 16 banks x 32 channels
    std::uint32_t queries = 1;    // query heads per KV head (g of GQA)
    bool row_reuse = false;       // all of them while a row is open; else the rows g times
    ScoreOrder order = ScoreOrder::artifact;
};

// On all 32 channels. Every order has the same column commands, so utilisation tells how well they
// overlap.
Program score_program(const ScoreShape& shape);

}  // namespace memside::pim
