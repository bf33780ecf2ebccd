// Runs a compiled attention of one decode step on random data, through the dispatcher, and compares
// it with sums in double.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/plan/attention_plan.h"
#include "pim/dynamic/chunk_pool.h"
#include "pim/dynamic/dynamic_program.h"

namespace memside::compiler {

struct AttentionData {
    std::vector<std::vector<pim::Bf16>> keys;     // [kv head][token x head_dim], the new token last
    std::vector<std::vector<pim::Bf16>> values;   // the same
    std::vector<std::vector<pim::Bf16>> queries;  // [kv head x group + query][head_dim]
};
AttentionData attention_data(const AttentionShape& shape, std::uint64_t tokens, std::uint64_t seed);

// Outputs and, for each, how far bf16 scores, weights, partial sums and results may lead.
struct AttentionReference {
    std::vector<std::vector<double>> outputs;
    std::vector<std::vector<double>> tolerances;
};
AttentionReference attention_reference(const AttentionShape& shape, const AttentionData& data,
                                       std::uint64_t tokens);

// KV heads that run together, and the regions of their keys and values.
struct HeadsPlace {
    std::uint32_t first_head = 0;
    pim::KvLayout keys;
    pim::KvLayout values;
    std::uint32_t key_region = 0;
    std::uint32_t value_region = 0;
};

// Where a program looks for its operands.
struct AttentionPlaces {
    std::vector<HeadsPlace> heads;
    std::uint32_t query = 0;
    std::uint32_t key = 0;  // the new token's, KV head after KV head
    std::uint32_t value = 0;
    std::uint32_t output = 0;
};

using Outputs = std::vector<std::vector<pim::Bf16>>;

// A step for the last of `tokens` tokens. Fails the test when something unwritten is read.
Outputs run_attention(const pim::DynamicProgram& program, const AttentionPlaces& places,
                      const AttentionData& data, std::uint64_t tokens, const pim::ChunkPool& pool);
// The same of a program without virtual rows: regions are rows of the module.
Outputs run_fixed_attention(const pim::DynamicProgram& program, const AttentionPlaces& places,
                            const AttentionData& data, std::uint64_t tokens);

void expect_near(const Outputs& outputs, const AttentionReference& reference);

// Chunks of the first `rows` rows, in random order.
pim::ChunkPool shuffled_pool(std::uint32_t rows, std::uint32_t chunk_rows, std::uint64_t seed);

}  // namespace memside::compiler
