#include "pim/dynamic/attention_run.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace memside::pim {
namespace {

std::vector<Bf16> random_values(std::size_t count, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    std::vector<Bf16> values(count);
    for (Bf16& value : values) value = to_bf16(normal(random));
    return values;
}

}  // namespace

AttentionData attention_data(const AttentionShape& shape, std::uint64_t tokens,
                             std::uint64_t seed) {
    std::mt19937_64 random(seed);
    AttentionData data;
    for (unsigned h = 0; h < shape.heads; ++h) {
        data.keys.push_back(random_values(tokens * shape.head_dim, random));
        data.values.push_back(random_values(tokens * shape.head_dim, random));
    }
    for (unsigned q = 0; q < shape.heads * shape.queries; ++q) {
        data.queries.push_back(random_values(shape.head_dim, random));
    }
    return data;
}

AttentionReference attention_reference(const AttentionLayout& layout, const AttentionData& data,
                                       std::uint64_t tokens) {
    const AttentionShape& shape = layout.shape;
    const std::size_t width = shape.head_dim;
    AttentionReference reference;
    for (std::size_t q = 0; q < data.queries.size(); ++q) {
        const std::vector<Bf16>& keys = data.keys[q % shape.heads];
        const std::vector<Bf16>& values = data.values[q % shape.heads];
        const std::uint64_t first =
            shape.window == 0 || shape.window > tokens ? 0 : tokens - shape.window;
        std::vector<double> scores;
        double largest = -INFINITY;
        double magnitude = 0;
        for (std::uint64_t t = first; t < tokens; ++t) {
            double dot = 0;
            for (std::size_t d = 0; d < width; ++d) {
                dot += double{to_float(data.queries[q][d])} * double{to_float(keys[t * width + d])};
            }
            scores.push_back(dot * double{shape.scale});
            largest = std::max(largest, scores.back());
            magnitude = std::max(magnitude, std::fabs(scores.back()));
        }
        double sum = 0;
        std::vector<double> output(width, 0.0);
        std::vector<double> weighted(width, 0.0);
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const double weight = std::exp(scores[i] - largest);
            sum += weight;
            for (std::size_t d = 0; d < width; ++d) {
                const double value = to_float(values[(first + i) * width + d]);
                output[d] += weight * value;
                weighted[d] += weight * std::fabs(value);
            }
        }
        // A score is off by half a unit of its last place, which moves its weight by as much as the
        // score is large; the sum of weights moves with it; weight, partial sums and result are
        // rounded once each.
        const double relative = (2 * magnitude + 3) * bf16_roundoff;
        for (std::size_t d = 0; d < width; ++d) {
            output[d] /= sum;
            weighted[d] = weighted[d] / sum * relative;
        }
        reference.outputs.push_back(std::move(output));
        reference.tolerance.push_back(std::move(weighted));
    }
    return reference;
}

std::vector<std::vector<Bf16>> run_attention(const AttentionLayout& layout,
                                             const DynamicProgram& program,
                                             const AttentionData& data, std::uint64_t tokens,
                                             const ChunkPool& pool) {
    const AttentionShape& shape = layout.shape;
    DynamicMachine machine;
    auto created = Dispatcher::create(program, pool, machine.zeroing(shape.channels));
    EXPECT_TRUE(created.ok()) << created.error().message();
    Dispatcher& dispatcher = created.value();
    const Status admitted = dispatcher.admit(7, tokens - 1);
    EXPECT_TRUE(admitted.ok()) << admitted.error().message();
    const std::size_t width = shape.head_dim;
    for (unsigned h = 0; h < shape.heads; ++h) {
        const auto of_token = [&](const std::vector<Bf16>& all, std::uint64_t t) {
            return std::span(all).subspan(t * width, width);
        };
        for (std::uint64_t t = 0; t + 1 < tokens; ++t) {
            EXPECT_TRUE(place_token(layout.keys, dispatcher.table(7, 0), t, h,
                                    of_token(data.keys[h], t), machine.memory())
                            .ok());
            EXPECT_TRUE(place_token(layout.values, dispatcher.table(7, 1), t, h,
                                    of_token(data.values[h], t), machine.memory())
                            .ok());
        }
        const std::uint32_t of_head = h * layout.tiles();
        place_in_gprs(of_token(data.keys[h], tokens - 1), layout.tiles(),
                      layout.key_gpr() + of_head, machine.memory());
        place_in_gprs(of_token(data.values[h], tokens - 1), layout.tiles(),
                      layout.value_gpr() + of_head, machine.memory());
    }
    for (std::uint32_t q = 0; q < layout.all_queries(); ++q) {
        place_in_gprs(data.queries[q], layout.tiles(), layout.queries_gpr() + q * layout.tiles(),
                      machine.memory());
    }
    const Status stepped = dispatcher.step(7, machine);
    EXPECT_TRUE(stepped.ok()) << stepped.error().message();
    EXPECT_EQ(dispatcher.tokens(7), tokens);
    EXPECT_EQ(machine.machine().uninitialised().count, 0U)
        << machine.machine().uninitialised().first.front().message();
    EXPECT_EQ(machine.hub_unit().uninitialised().count, 0U)
        << machine.hub_unit().uninitialised().first.front().message();
    std::vector<std::vector<Bf16>> results;
    for (std::uint32_t q = 0; q < layout.all_queries(); ++q) {
        results.push_back(
            gather_gprs(layout.results_gpr() + q * layout.tiles(), width, machine.memory()));
    }
    return results;
}

ChunkPool ordered_pool(std::uint32_t rows, std::uint32_t chunk_rows) {
    return {0, rows, chunk_rows};
}

ChunkPool shuffled_pool(std::uint32_t rows, std::uint32_t chunk_rows, std::uint64_t seed) {
    std::vector<std::uint32_t> first_rows;
    for (std::uint32_t row = 0; row + chunk_rows <= rows; row += chunk_rows) {
        first_rows.push_back(row);
    }
    std::shuffle(first_rows.begin(), first_rows.end(), std::mt19937_64(seed));
    return {first_rows, chunk_rows};
}

}  // namespace memside::pim
