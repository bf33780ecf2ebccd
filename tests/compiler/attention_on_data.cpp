#include "compiler/attention_on_data.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

using pim::Bf16;
using Vectors = std::vector<std::vector<Bf16>>;

constexpr pim::Dispatcher::RequestId request = 7;

std::vector<Bf16> random_values(std::size_t count, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    std::vector<Bf16> values(count);
    for (Bf16& value : values) value = pim::to_bf16(normal(random));
    return values;
}

// Puts the tokens before the last into the banks and the last one into the registers.
class Placement {
  public:
    Placement(const AttentionPlaces& places, const AttentionData& data, std::uint64_t tokens,
              pim::Memory& memory)
        : places_(places), data_(data), tokens_(tokens), memory_(memory) {}

    template <typename TableOf>
    void caches(const TableOf& table_of) {
        for (const HeadsPlace& place : places_.heads) {
            for (unsigned h = 0; h < place.keys.heads; ++h) {
                const std::size_t head = place.first_head + h;
                old_tokens(place.keys, table_of(place.key_region), h, data_.keys[head]);
                old_tokens(place.values, table_of(place.value_region), h, data_.values[head]);
            }
        }
    }

    void operands() {
        const std::uint32_t tiles = places_.heads.front().keys.tiles();
        const auto place = [&](std::span<const Bf16> values, std::uint32_t gpr, std::size_t index) {
            pim::place_in_gprs(values, tiles, gpr + static_cast<std::uint32_t>(index) * tiles,
                               memory_);
        };
        for (std::size_t h = 0; h < data_.keys.size(); ++h) {
            place(token(data_.keys[h], tokens_ - 1), places_.key, h);
            place(token(data_.values[h], tokens_ - 1), places_.value, h);
        }
        for (std::size_t q = 0; q < data_.queries.size(); ++q) {
            place(data_.queries[q], places_.query, q);
        }
    }

    Outputs outputs() const {
        const pim::KvLayout& keys = places_.heads.front().keys;
        Outputs outputs;
        for (std::size_t q = 0; q < data_.queries.size(); ++q) {
            outputs.push_back(
                pim::gather_gprs(places_.output + static_cast<std::uint32_t>(q) * keys.tiles(),
                                 keys.head_dim, memory_));
        }
        return outputs;
    }

  private:
    std::span<const Bf16> token(const std::vector<Bf16>& all, std::uint64_t t) const {
        const std::size_t width = places_.heads.front().keys.head_dim;
        return std::span(all).subspan(t * width, width);
    }

    void old_tokens(const pim::KvLayout& layout, const pim::RowTable& table, unsigned head,
                    const std::vector<Bf16>& all) {
        for (std::uint64_t t = 0; t + 1 < tokens_; ++t) {
            const Status placed = pim::place_token(layout, table, t, head, token(all, t), memory_);
            ASSERT_TRUE(placed.ok()) << placed.error().message();
        }
    }

    const AttentionPlaces& places_;
    const AttentionData& data_;
    std::uint64_t tokens_;
    pim::Memory& memory_;
};

void expect_all_written(const pim::DynamicMachine& machine) {
    for (const pim::UninitialisedReads* reads :
         {&machine.machine().uninitialised(), &machine.hub_unit().uninitialised()}) {
        EXPECT_EQ(reads->count, 0U) << reads->first.front().message();
    }
}

}  // namespace

AttentionData attention_data(const AttentionShape& shape, std::uint64_t tokens,
                             std::uint64_t seed) {
    std::mt19937_64 random(seed);
    AttentionData data;
    for (std::uint32_t h = 0; h < shape.kv_heads; ++h) {
        data.keys.push_back(random_values(tokens * shape.head_dim, random));
        data.values.push_back(random_values(tokens * shape.head_dim, random));
    }
    for (std::uint32_t q = 0; q < shape.kv_heads * shape.group; ++q) {
        data.queries.push_back(random_values(shape.head_dim, random));
    }
    return data;
}

AttentionReference attention_reference(const AttentionShape& shape, const AttentionData& data,
                                       std::uint64_t tokens) {
    const std::size_t width = shape.head_dim;
    const std::uint64_t first =
        shape.window == 0 || shape.window > tokens ? 0 : tokens - shape.window;
    AttentionReference reference;
    for (std::size_t q = 0; q < data.queries.size(); ++q) {
        const std::vector<Bf16>& keys = data.keys[q / shape.group];
        const std::vector<Bf16>& values = data.values[q / shape.group];
        std::vector<double> scores;
        double magnitude = 0;
        for (std::uint64_t t = first; t < tokens; ++t) {
            double dot = 0;
            for (std::size_t d = 0; d < width; ++d) {
                dot += double{pim::to_float(data.queries[q][d])} *
                       double{pim::to_float(keys[t * width + d])};
            }
            scores.push_back(dot * double{shape.scale});
            magnitude = std::max(magnitude, std::fabs(scores.back()));
        }
        const double largest = *std::max_element(scores.begin(), scores.end());
        double sum = 0;
        std::vector<double> output(width, 0.0);
        std::vector<double> spread(width, 0.0);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const double weight = std::exp(scores[i] - largest);
            sum += weight;
            for (std::size_t d = 0; d < width; ++d) {
                const double value = pim::to_float(values[(first + i) * width + d]);
                output[d] += weight * value;
                spread[d] += weight * std::fabs(value);
            }
        }
        // A score is off by half a unit of its last place, which moves its weight by as much as the
        // score is large, and the sum of weights with it; weight, partial sum and result are
        // rounded once each.
        const double relative = (2 * magnitude + 3) * pim::bf16_roundoff;
        for (std::size_t d = 0; d < width; ++d) {
            output[d] /= sum;
            spread[d] *= relative / sum;
        }
        reference.outputs.push_back(std::move(output));
        reference.tolerances.push_back(std::move(spread));
    }
    return reference;
}

Outputs run_attention(const pim::DynamicProgram& program, const AttentionPlaces& places,
                      const AttentionData& data, std::uint64_t tokens, const pim::ChunkPool& pool) {
    pim::DynamicMachine machine;
    auto dispatcher = pim::Dispatcher::create(program, pool, machine.zeroing(program.channels));
    EXPECT_TRUE(dispatcher.ok()) << dispatcher.error().message();
    if (!dispatcher) return {};
    const Status admitted = dispatcher->admit(request, tokens - 1);
    EXPECT_TRUE(admitted.ok()) << admitted.error().message();
    Placement placement(places, data, tokens, machine.memory());
    placement.caches([&](std::uint32_t region) -> const pim::RowTable& {
        return dispatcher->table(request, region);
    });
    placement.operands();
    const Status stepped = dispatcher->step(request, machine);
    EXPECT_TRUE(stepped.ok()) << stepped.error().message();
    expect_all_written(machine);
    return placement.outputs();
}

Outputs run_fixed_attention(const pim::DynamicProgram& program, const AttentionPlaces& places,
                            const AttentionData& data, std::uint64_t tokens) {
    const Status valid = pim::validate(program, "");
    EXPECT_TRUE(valid.ok()) << valid.error().message();
    if (!valid.ok()) return {};
    pim::DynamicMachine machine;
    for (const pim::Region& region : program.regions) {
        pim::zero_rows(program.channels, region.first_row, region.rows, machine.memory());
    }
    Placement placement(places, data, tokens, machine.memory());
    placement.caches([&](std::uint32_t region) {
        const pim::Region& of = program.regions[region];
        return pim::RowTable::identity(of.first_row, of.rows);
    });
    placement.operands();
    const pim::Expander expander(program);
    const Status ran = expander.run_all(tokens, {}, machine);
    EXPECT_TRUE(ran.ok()) << ran.error().message();
    expect_all_written(machine);
    return placement.outputs();
}

void expect_near(const Outputs& outputs, const AttentionReference& reference) {
    ASSERT_EQ(outputs.size(), reference.outputs.size());
    for (std::size_t q = 0; q < outputs.size(); ++q) {
        ASSERT_EQ(outputs[q].size(), reference.outputs[q].size());
        for (std::size_t d = 0; d < outputs[q].size(); ++d) {
            ASSERT_NEAR(double{pim::to_float(outputs[q][d])}, reference.outputs[q][d],
                        reference.tolerances[q][d])
                << "query " << q << ", dimension " << d;
        }
    }
}

pim::ChunkPool shuffled_pool(std::uint32_t rows, std::uint32_t chunk_rows, std::uint64_t seed) {
    std::vector<std::uint32_t> first_rows;
    for (std::uint32_t row = 0; row + chunk_rows <= rows; row += chunk_rows) {
        first_rows.push_back(row);
    }
    std::shuffle(first_rows.begin(), first_rows.end(), std::mt19937_64(seed));
    return {first_rows, chunk_rows};
}

}  // namespace memside::compiler
