// Runs attention by hand on random data and compares it with sums in double.
#pragma once

#include <cstdint>
#include <vector>

#include "pim/dynamic/attention_program.h"
#include "pim/dynamic/dynamic_machine.h"

namespace memside::pim {

struct AttentionData {
    // [head][token][head_dim], the new token last; [query j heads + h][head_dim].
    std::vector<std::vector<Bf16>> keys;
    std::vector<std::vector<Bf16>> values;
    std::vector<std::vector<Bf16>> queries;
};
AttentionData attention_data(const AttentionShape& shape, std::uint64_t tokens, std::uint64_t seed);

// The outputs and, for each, how far bf16 scores, weights and partial sums may lead away from it.
struct AttentionReference {
    std::vector<std::vector<double>> outputs;
    std::vector<std::vector<double>> tolerance;
};
AttentionReference attention_reference(const AttentionLayout& layout, const AttentionData& data,
                                       std::uint64_t tokens);

// A step for the last of `tokens` tokens, the others placed by the host; chunks come from `pool`.
// [query][head_dim]. Fails the test when something that was never written is read.
std::vector<std::vector<Bf16>> run_attention(const AttentionLayout& layout,
                                             const DynamicProgram& program,
                                             const AttentionData& data, std::uint64_t tokens,
                                             const ChunkPool& pool);

// All whole chunks of `rows` rows, in ascending or in random order.
ChunkPool ordered_pool(std::uint32_t rows, std::uint32_t chunk_rows);
ChunkPool shuffled_pool(std::uint32_t rows, std::uint32_t chunk_rows, std::uint64_t seed);

}  // namespace memside::pim
