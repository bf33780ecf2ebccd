// Where keys and values lie in the banks, for a token axis split over the channels (TCP) and for
// heads that each have a channel (HFP). Compiler, dispatcher and tests share it. Rows are virtual;
// appending a token never moves another. docs/pim-dynamic.md draws it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "pim/functional_memory.h"
#include "pim/kernels/kernel.h"

namespace memside::pim {

enum class KvKind : std::uint8_t { key, value };

// A request's rows of one region: virtual chunk i of chunk_rows rows begins at first_rows[i].
struct RowTable {
    std::uint32_t chunk_rows = 1;
    std::vector<std::uint32_t> first_rows;

    // nullopt: the row's chunk is not there.
    std::optional<std::uint32_t> physical(std::uint32_t row) const {
        const std::uint32_t chunk = row / chunk_rows;
        if (chunk >= first_rows.size()) return std::nullopt;
        return first_rows[chunk] + row % chunk_rows;
    }
    // Virtual rows are physical rows from first_row on: static reservation.
    static RowTable identity(std::uint32_t first_row, std::uint32_t rows,
                             std::uint32_t chunk_rows = 1);
};

struct KvLayout {
    KvKind kind = KvKind::key;
    std::uint32_t head_dim = 128;       // of keys up to 1,024: a key lies in one row
    unsigned channels = channel_count;  // of the program
    unsigned ways = channel_count;      // P: channels that work on one head
    unsigned heads = 1;                 // KV heads at once, head h in channels h P to h P + P - 1

    static KvLayout tcp(KvKind kind, std::uint32_t head_dim, unsigned channels) {
        return {kind, head_dim, channels, channels, 1};
    }
    static KvLayout hfp(KvKind kind, std::uint32_t head_dim, unsigned channels, unsigned heads) {
        return {kind, head_dim, channels, 1, heads};
    }
    // bad_input when head_dim is out of range or the heads do not fit into the channels.
    Status check() const;

    // Columns of a key; 16 dimensions each, also the dimension groups of a value.
    std::uint32_t tiles() const { return units(head_dim, lanes); }
    // Keys of a bank in a row. An even number where that leaves little empty: rows of keys and of
    // values of 32 channels then end together, 20 keys of 48 dimensions with 10 classes of values.
    std::uint32_t slots() const {
        const std::uint32_t most = columns_per_row / tiles();
        return most > 8 && most % 2 != 0 ? most - 1 : most;
    }
    // Values: dimension group dg has `classes` channels when there are channels enough, that share
    // its token tiles (of 16 tokens); else a channel has `passes` groups, a row each.
    std::uint32_t classes() const { return ways >= tiles() ? ways / tiles() : 1; }
    std::uint32_t passes() const { return units(tiles(), ways); }
    // Tokens of one head that its rows hold side by side: one row of keys, passes() of values.
    std::uint32_t row_tokens() const {
        return kind == KvKind::key ? slots() * bank_count * ways
                                   : columns_per_row * lanes * classes();
    }
    // Tokens that one column of all channels holds: what opsize_span (values) or the score groups
    // (keys) count in.
    std::uint32_t granule() const {
        return kind == KvKind::key ? bank_count * ways : lanes * classes();
    }
    std::uint32_t rows_per_step() const { return kind == KvKind::key ? 1 : passes(); }
    // Virtual rows that `tokens` tokens take.
    std::uint32_t rows(std::uint64_t tokens) const {
        return units(tokens, row_tokens()) * rows_per_step();
    }

    // Channel index of way `way` of head `head`, and the masks of: everything, a class of all heads
    // (values), one head.
    unsigned channel(unsigned head, unsigned way) const {
        return channel_at(channels, head * ways + way);
    }
    // Channels of a head that hold anything: of values with P no multiple of the dimension groups,
    // the rest idles.
    unsigned used_ways() const;
    std::uint32_t mask() const;
    std::uint32_t head_mask(unsigned head) const;
    std::uint32_t class_mask(unsigned head, unsigned value_class) const;

    // The first column of a token's key; tiles() follow one another.
    Place key_place(std::uint64_t token, unsigned head) const;
    // The tile of a token's dimension; the token is lane token % 16 of it.
    Place value_place(std::uint64_t token, unsigned head, std::uint32_t dimension) const;
};

// Rows of a chunk of 1 MiB over `channels` channels, at least one.
constexpr std::uint32_t chunk_rows_for(unsigned channels) {
    constexpr std::uint32_t bytes = 1U << 20;
    const std::uint32_t row_bytes = channels * bank_count * columns_per_row * lanes * 2;
    return bytes > row_bytes ? bytes / row_bytes : 1;
}

// Writes a token's key or value (head_dim values of head `head`) to its place, zeros after the last
// dimension of a key. bad_input when the table lacks the row.
Status place_token(const KvLayout& layout, const RowTable& table, std::uint64_t token,
                   unsigned head, std::span<const Bf16> values, Memory& memory);

// Zeros in every column of all banks of the rows [first_row, + rows) of the program's channels:
// what the host does with a new chunk, so that a weight of 0 never meets garbage.
void zero_rows(unsigned channels, std::uint32_t first_row, std::uint32_t rows, Memory& memory);

}  // namespace memside::pim
