// Attention over selected pages, on data: against sums in double over the tokens of these pages,
// and the scan of digests against the score that kv/ defines.
#include "compiler/plan/selected_attention.h"

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

using pim::Bf16;
using Values = std::vector<Bf16>;

struct Shape {
    std::uint32_t head_dim = 128;
    std::uint32_t group = 4;
    std::uint32_t page_tokens = 32;
    AttentionOptions options{};
    std::uint32_t scratch_tiles = 8192;
};

constexpr std::uint32_t key_row = 0;
constexpr std::uint32_t value_row = 64;
constexpr std::uint32_t rows = 64;

Values random_values(std::size_t count, std::mt19937_64& random) {
    std::normal_distribution<float> normal;
    Values values(count);
    for (Bf16& value : values) value = pim::to_bf16(normal(random));
    return values;
}

// Rows of the regions in shuffled order, so that a virtual row taken for a physical one is found.
pim::RowTable shuffled(std::uint32_t first, std::mt19937_64& random) {
    pim::RowTable table = pim::RowTable::identity(first, rows);
    std::shuffle(table.first_rows.begin(), table.first_rows.end(), random);
    return table;
}

SelectedPlan plan_of(const Shape& shape) {
    const std::uint32_t vectors = shape.group * pim::units(shape.head_dim, pim::lanes);
    const AttentionRegisters registers{.query = 1,
                                       .output = 1 + vectors,
                                       .scratch = 1 + 2 * vectors,
                                       .scratch_tiles = shape.scratch_tiles};
    auto plan = plan_selected({.group = shape.group,
                               .head_dim = shape.head_dim,
                               .page_tokens = shape.page_tokens,
                               .scale = 1 / std::sqrt(static_cast<float>(shape.head_dim)),
                               .options = shape.options,
                               .registers = registers});
    EXPECT_TRUE(plan.ok()) << plan.error().message();
    return *plan;
}

// Tokens of the pages, ascending.
std::vector<std::uint64_t> tokens_of(const std::vector<std::uint32_t>& pages,
                                     std::uint32_t page_tokens, std::uint64_t tokens) {
    std::vector<std::uint64_t> all;
    for (const std::uint32_t page : pages) {
        for (std::uint64_t t = std::uint64_t{page} * page_tokens;
             t < std::min((std::uint64_t{page} + 1) * page_tokens, tokens); ++t) {
            all.push_back(t);
        }
    }
    return all;
}

std::vector<double> reference(const Values& query, const Values& keys, const Values& values,
                              const std::vector<std::uint64_t>& tokens, double scale) {
    const std::size_t width = query.size();
    std::vector<double> output(width, 0.0);
    double sum = 0;
    for (const std::uint64_t t : tokens) {
        double dot = 0;
        for (std::size_t d = 0; d < width; ++d) {
            dot += double{pim::to_float(query[d])} * double{pim::to_float(keys[t * width + d])};
        }
        const double weight = std::exp(dot * scale);
        sum += weight;
        for (std::size_t d = 0; d < width; ++d) {
            output[d] += weight * double{pim::to_float(values[t * width + d])};
        }
    }
    for (double& value : output) value /= sum;
    return output;
}

// Runs a step over `pages` of `tokens` tokens. Scores near 1 and weights alike: bf16 moves an
// output by less than a hundredth, a tile of 16 tokens that is lost or taken twice by several.
void check(const Shape& shape, const std::vector<std::uint32_t>& pages, std::uint64_t tokens,
           std::uint64_t seed) {
    SCOPED_TRACE(
        fmt::format("{} pages of {} in {} tokens", pages.size(), shape.page_tokens, tokens));
    std::mt19937_64 random(seed);
    const SelectedPlan plan = plan_of(shape);
    const std::size_t width = shape.head_dim;
    const Values keys = random_values(tokens * width, random);
    const Values values = random_values(tokens * width, random);
    const pim::RowTable key_rows = shuffled(key_row, random);
    const pim::RowTable value_rows = shuffled(value_row, random);
    pim::DynamicMachine machine;
    pim::Memory& memory = machine.memory();
    pim::zero_rows(pim::channel_count, 0, 2 * rows, memory);
    for (std::uint64_t t = 0; t < tokens; ++t) {
        const auto of = [&](const Values& all) { return std::span(all).subspan(t * width, width); };
        ASSERT_TRUE(pim::place_token(plan.keys, key_rows, t, 0, of(keys), memory).ok());
        ASSERT_TRUE(pim::place_token(plan.values, value_rows, t, 0, of(values), memory).ok());
    }
    pim::place_in_gprs(Values(pim::lanes), 1, plan.registers.zero, memory);
    std::vector<Values> queries;
    for (std::uint32_t q = 0; q < shape.group; ++q) {
        queries.push_back(random_values(width, random));
        pim::place_in_gprs(queries.back(), plan.tiles(), plan.registers.query + q * plan.tiles(),
                           memory);
    }
    const Status written = write_selected(plan, pages, tokens, key_rows, value_rows, machine);
    ASSERT_TRUE(written.ok()) << written.error().message();
    EXPECT_EQ(machine.machine().uninitialised().count, 0U);
    EXPECT_EQ(machine.hub_unit().uninitialised().count, 0U);
    const auto attended = tokens_of(pages, shape.page_tokens, tokens);
    for (std::uint32_t q = 0; q < shape.group; ++q) {
        const auto expected = reference(queries[q], keys, values, attended, double{plan.scale});
        const Values got =
            pim::gather_gprs(plan.registers.output + q * plan.tiles(), width, memory);
        for (std::size_t d = 0; d < width; ++d) {
            ASSERT_NEAR(double{pim::to_float(got[d])}, expected[d],
                        0.004 + 0.008 * std::fabs(expected[d]))
                << "query " << q << ", dimension " << d;
        }
    }
}

std::vector<std::uint32_t> some_pages(std::uint32_t of, std::size_t count, std::uint64_t seed) {
    std::vector<std::uint32_t> all(of);
    std::iota(all.begin(), all.end(), 0U);
    std::vector<std::uint32_t> chosen;
    std::sample(all.begin(), all.end(), std::back_inserter(chosen), count, std::mt19937_64(seed));
    return chosen;
}

TEST(SelectedAttention, it_is_the_attention_over_the_tokens_of_the_pages) {
    check({}, some_pages(313, 40, 1), 10000, 1);
}

TEST(SelectedAttention, every_page_of_a_step_is_dense_attention) {
    // 4,113 tokens: the last page has 17.
    check({}, some_pages(129, 129, 2), 4113, 2);
}

TEST(SelectedAttention, pages_of_any_number_of_columns_will_do) {
    for (const std::uint32_t page : {16U, 64U, 128U, 512U, 1024U}) {
        const std::uint32_t pages = pim::units(9001, page);
        check({.page_tokens = page}, some_pages(pages, pages / 3 + 1, page), 9001, page);
    }
}

TEST(SelectedAttention, other_head_dimensions_and_single_queries_will_do) {
    check({.head_dim = 64, .group = 1}, some_pages(157, 30, 3), 5000, 3);
    check({.head_dim = 256, .group = 8}, some_pages(157, 30, 4), 5000, 4);
}

TEST(SelectedAttention, programs_without_buffers_or_row_reuse_give_the_same) {
    for (const std::uint32_t accumulators : {1U, 2U}) {
        for (const bool reuse : {false, true}) {
            Shape shape;
            shape.options.accumulators = accumulators;
            shape.options.row_reuse = reuse;
            check(shape, some_pages(313, 20, 5), 10000, 5);
        }
    }
}

TEST(SelectedAttention, few_registers_make_several_parts) {
    Shape shape;
    shape.scratch_tiles = 700;
    check(shape, some_pages(313, 60, 6), 10000, 6);
}

RC_GTEST_PROP(SelectedAttention, at_random_sets_it_is_the_attention_over_them,
              (std::uint64_t seed)) {
    std::mt19937_64 random(seed);
    Shape shape;
    shape.group = static_cast<std::uint32_t>(1 + random() % 4);
    shape.page_tokens = 16U << random() % 4;
    const std::uint64_t tokens = 600 + random() % 3000;
    const std::uint32_t pages = pim::units(tokens, shape.page_tokens);
    const std::size_t least = pim::units(300, shape.page_tokens);  // an average that is one
    const std::size_t count = least + random() % (pages - std::min<std::size_t>(least, pages - 1));
    check(shape, some_pages(pages, std::min<std::size_t>(count, pages), seed), tokens, seed);
}

TEST(SelectedAttention, what_is_not_whole_columns_is_refused) {
    const auto refused = [](std::uint32_t page, std::uint32_t head_dim) {
        const auto plan = plan_selected({.head_dim = head_dim, .page_tokens = page});
        return plan.ok() ? "taken" : plan.error().message();
    };
    EXPECT_THAT(refused(8, 128), testing::HasSubstr("--page-size"));
    EXPECT_THAT(refused(48, 128), testing::HasSubstr("--page-size"));
    EXPECT_THAT(refused(8192, 128), testing::HasSubstr("wider than a row"));
    EXPECT_THAT(refused(32, 96), testing::HasSubstr("96 dimensions"));
}

// score = sum of max(q low, q high) over dimensions, added up over the queries.
TEST(DigestScan, the_banks_score_boxes_as_selection_does) {
    std::mt19937_64 random(8);
    constexpr std::uint32_t group = 4;
    constexpr std::size_t width = 128;
    constexpr std::uint32_t pages = 2100;  // beyond a row of 2,048
    const std::uint32_t tiles = 2 * width / pim::lanes;
    const AttentionRegisters registers{
        .query = 1, .scratch = 1 + group * tiles, .scratch_tiles = 4096};
    const auto planned = plan_digest_scan(group, width, {}, registers);
    ASSERT_TRUE(planned.ok()) << planned.error().message();
    const AttentionPlan& scan = *planned;
    ASSERT_GE(scan.block_tokens, pages);
    pim::DynamicMachine machine;
    pim::Memory& memory = machine.memory();
    pim::zero_rows(pim::channel_count, 0, rows, memory);
    const pim::RowTable table = shuffled(0, random);
    std::vector<Values> digests;
    for (std::uint32_t page = 0; page < pages; ++page) {
        Values low = random_values(width, random);
        Values high = random_values(width, random);
        for (std::size_t d = 0; d < width; ++d) {
            if (pim::to_float(low[d]) > pim::to_float(high[d])) std::swap(low[d], high[d]);
        }
        Values digest = high;
        digest.insert(digest.end(), low.begin(), low.end());
        ASSERT_TRUE(pim::place_token(scan.keys, table, page, 0, digest, memory).ok());
        digests.push_back(digest);
    }
    pim::place_in_gprs(Values(pim::lanes), 1, 0, memory);
    std::vector<Values> queries;
    for (std::uint32_t q = 0; q < group; ++q) {
        queries.push_back(random_values(width, random));
        Values parts(2 * width);
        for (std::size_t d = 0; d < width; ++d) {
            parts[pim::to_float(queries[q][d]) > 0 ? d : width + d] = queries[q][d];
        }
        pim::place_in_gprs(parts, tiles, scan.registers.query + q * tiles, memory);
    }
    const Status scanned = write_digest_scan(scan, pages, table, machine);
    ASSERT_TRUE(scanned.ok()) << scanned.error().message();
    const Values scores = pim::gather_gprs(scan.scores(), pages, memory);
    for (std::uint32_t page = 0; page < pages; ++page) {
        double expected = 0;
        double size = 0;
        for (const Values& query : queries) {
            for (std::size_t d = 0; d < width; ++d) {
                const double q = double{pim::to_float(query[d])};
                const double high = q * double{pim::to_float(digests[page][d])};
                const double low = q * double{pim::to_float(digests[page][width + d])};
                expected += std::max(high, low);
                size += std::fabs(std::max(high, low));
            }
        }
        // A score of each query and their sum are rounded to bf16.
        ASSERT_NEAR(double{pim::to_float(scores[page])}, expected,
                    2 * double{pim::bf16_roundoff} * size)
            << page;
    }
}

}  // namespace
}  // namespace memside::compiler
