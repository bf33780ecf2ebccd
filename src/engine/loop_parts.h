// Into how many parts the loops of a step are cut, each the work of one thread at a time. The model
// of a machine (cluster/cpu_machine.h) has the same ones from here.
#pragma once

#include <algorithm>
#include <cstdint>

namespace memside::engine {

// Pages that a query attends. A function of the pages alone, so that sums are taken in one order
// whatever the number of threads: logits are the same bytes on every machine with the same kernels,
// and attending a list of all pages gives what dense attention gives. Parts of at least four pages,
// so that merging costs little; at most 32, enough to even out what the threads of a machine are
// given.
constexpr std::int64_t attention_parts(std::int64_t pages) {
    return std::clamp<std::int64_t>(pages / 4, 1, 32);
}

// Rows of weights times one token: about 64 KiB of weights, short enough to even out, long enough
// to stream.
constexpr std::int64_t matmul_rows_per_part(std::int64_t bytes_per_row) {
    return std::clamp<std::int64_t>(64 * 1024 / bytes_per_row, 1, 1024);
}

// Blocks of digests of all KV heads: 256 KiB with 8 KV heads of dimension 64.
inline constexpr std::int64_t scan_blocks_per_part = 8;

}  // namespace memside::engine
