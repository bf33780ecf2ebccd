#include "eval/associative.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "eval/key_recall.h"

namespace memside::eval {
namespace {

constexpr int dim = 32;
constexpr int heads = 2;
constexpr std::int64_t page_tokens = 16;

AssociativeSource some_source(std::int64_t queries) {
    std::mt19937 random(9);
    std::normal_distribution<float> normal;
    // A few directions carry most, as in real keys.
    std::vector<float> keys;
    std::vector<float> mixing(dim * dim);
    for (float& value : mixing) value = normal(random);
    std::vector<float> z(dim);
    for (int t = 0; t < 2048; ++t) {
        for (int a = 0; a < dim; ++a) {
            const float fresh = normal(random) / (1.0F + 0.3F * static_cast<float>(a));
            auto& own = z[static_cast<std::size_t>(a)];
            own = a < 4 ? 0.9F * own + 0.4F * fresh : fresh;
        }
        for (std::size_t d = 0; d < dim; ++d) {
            float sum = 0.0F;
            for (std::size_t a = 0; a < dim; ++a) sum += mixing[a * dim + d] * z[a];
            keys.push_back(sum);
        }
    }
    AssociativeSource source;
    source.keys = measure_keys(keys, dim, page_tokens);
    source.scale = 0.2F;
    source.heads = heads;
    for (std::int64_t i = 0; i < queries; ++i) {
        std::vector<float> query;
        for (int d = 0; d < heads * dim; ++d) query.push_back(normal(random));
        source.queries.push_back(query);
    }
    return source;
}

AssociativeShape some_shape() {
    AssociativeShape shape;
    shape.tokens = 2 * KeyGenerator::run_tokens;
    shape.page_tokens = page_tokens;
    shape.distractors = 5;
    shape.words = 64;
    shape.seed = 3;
    return shape;
}

// Logits of the asking head for every token, f64, from what the store holds.
std::vector<double> logits_of(const AssociativeMemory& memory, const Question& question) {
    std::vector<double> logits;
    std::vector<float> keys(page_tokens * dim);
    const float* query = question.queries + question.head * dim;
    for (std::int64_t page = 0; page < memory.shape().tokens / page_tokens; ++page) {
        memory.store().read_keys(0, page, 0, 0, page_tokens, keys.data());
        for (std::int64_t t = 0; t < page_tokens; ++t) {
            double sum = 0.0;
            for (int d = 0; d < dim; ++d) {
                sum += double{keys[static_cast<std::size_t>(t * dim + d)]} * double{query[d]};
            }
            logits.push_back(sum * double{memory.source().scale});
        }
    }
    return logits;
}

// The word nearest to dense attention, f64.
int brute_force_word(const AssociativeMemory& memory, const Question& question) {
    const std::vector<double> logits = logits_of(memory, question);
    const double largest = *std::ranges::max_element(logits);
    std::vector<double> out(dim, 0.0);
    std::vector<float> values(page_tokens * dim);
    for (std::int64_t page = 0; page < memory.shape().tokens / page_tokens; ++page) {
        memory.store().read_values(0, page, 0, 0, page_tokens, values.data());
        for (std::int64_t t = 0; t < page_tokens; ++t) {
            const double weight =
                std::exp(logits[static_cast<std::size_t>(page * page_tokens + t)] - largest);
            for (int d = 0; d < dim; ++d) {
                out[static_cast<std::size_t>(d)] +=
                    weight * double{values[static_cast<std::size_t>(t * dim + d)]};
            }
        }
    }
    std::vector<float> rounded(out.begin(), out.end());
    return memory.nearest_word(rounded.data());
}

class AssociativeTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(AssociativeTest, the_answer_is_the_margin_above_every_other_token) {
    engine::ThreadPool pool(2);
    AssociativeShape shape = some_shape();
    shape.passage_tokens = GetParam();
    auto memory = std::move(AssociativeMemory::make(some_source(4), shape, pool)).value();
    const Question first = memory.question(0, pool);
    const std::vector<double> drawn = logits_of(memory, first);
    EXPECT_NEAR(first.largest, *std::ranges::max_element(drawn), 1e-3);
    for (std::int64_t trial = 0; trial < 4; ++trial) {
        Question question = memory.question(trial, pool);
        const std::vector<double> before = logits_of(memory, question);
        memory.plant_distractors(question);
        for (const double margin : {6.0, 1.0, -2.0}) {
            memory.plant_answer(question, margin);
            std::vector<double> logits = logits_of(memory, question);
            for (std::int64_t t = 0; t < shape.passage_tokens; ++t) {
                auto& own = logits[static_cast<std::size_t>(question.answer.position + t)];
                EXPECT_NEAR(own, question.largest + margin, 0.03);
                own = -HUGE_VAL;
            }
            EXPECT_NEAR(*std::ranges::max_element(logits), question.largest, 0.03);
        }
        memory.restore(question);
        EXPECT_EQ(logits_of(memory, question), before);
    }
}

INSTANTIATE_TEST_SUITE_P(Passages, AssociativeTest, testing::Values(1, 4, 16));

AssociativeOptions some_options(std::int64_t trials) {
    AssociativeOptions options;
    options.shape = some_shape();
    options.margins = {8.0, 2.0, 0.5, -6.0};
    options.budget_tokens = {128, options.shape.tokens};
    for (const kv::DigestKind kind : {kv::DigestKind::minmax, kv::DigestKind::centre_mad}) {
        options.digests.push_back({kind, kv::DigestType::f16, 1.0F});
        options.digests.push_back({kind, kv::DigestType::int8, 1.0F});
    }
    options.groupings = {{kv::SelectPer::kv_head, kv::GroupScore::mean},
                         {kv::SelectPer::query_head, kv::GroupScore::mean}};
    options.trials = trials;
    options.threads = 2;
    return options;
}

TEST(Associative, dense_agrees_with_brute_force_and_fails_when_the_answer_is_below_the_rest) {
    const AssociativeSource source = some_source(12);
    const AssociativeOptions options = some_options(12);
    const auto result = run_associative(source, options);
    ASSERT_TRUE(result.ok());
    engine::ThreadPool pool(2);
    auto memory = std::move(AssociativeMemory::make(source, options.shape, pool)).value();
    std::vector<std::int64_t> found(options.margins.size(), 0);
    for (std::int64_t trial = 0; trial < options.trials; ++trial) {
        Question question = memory.question(trial, pool);
        memory.plant_distractors(question);
        for (std::size_t m = 0; m < options.margins.size(); ++m) {
            memory.plant_answer(question, options.margins[m]);
            found[m] += brute_force_word(memory, question) == question.answer.word ? 1 : 0;
        }
        memory.restore(question);
    }
    EXPECT_EQ(result->dense_found, found);
    EXPECT_EQ(found.front(), options.trials);  // 8 nats above
    EXPECT_EQ(found.back(), 0);                // 6 below
}

TEST(Associative, a_budget_of_everything_answers_as_dense_does) {
    const AssociativeOptions options = some_options(10);
    const auto result = run_associative(some_source(10), options);
    ASSERT_TRUE(result.ok());
    for (const AssociativeCell& cell : result->cells) {
        if (cell.budget_tokens != options.shape.tokens) continue;
        EXPECT_EQ(cell.found, result->dense_found);
        for (const std::int64_t lost : cell.lost) EXPECT_EQ(lost, 0);
    }
}

TEST(Associative, an_answer_is_found_when_its_page_ranks_within_the_budget) {
    AssociativeOptions options = some_options(10);
    options.pinned = {};
    const auto result = run_associative(some_source(10), options);
    ASSERT_TRUE(result.ok());
    for (const AssociativeRank& rank : result->ranks) {
        for (const AssociativeCell& cell : result->cells) {
            const bool same = cell.digest.kind == rank.digest.kind &&
                              cell.digest.type == rank.digest.type &&
                              cell.grouping.select_per == rank.grouping.select_per;
            if (!same) continue;
            // 8 nats above: whoever reads the page has the answer.
            const std::int64_t pages = cell.budget_tokens / page_tokens;
            const auto within = std::ranges::count_if(rank.ranks.front(),
                                                      [&](std::int64_t r) { return r <= pages; });
            EXPECT_EQ(cell.found.front(), within);
            EXPECT_EQ(cell.lost.front(), options.trials - within);
        }
    }
}

TEST(Associative, threads_do_not_change_the_result) {
    AssociativeOptions options = some_options(6);
    const AssociativeSource source = some_source(6);
    options.threads = 1;
    const auto one = run_associative(source, options);
    options.threads = 3;
    const auto three = run_associative(source, options);
    ASSERT_TRUE(one.ok() && three.ok());
    EXPECT_EQ(one->dense_found, three->dense_found);
    for (std::size_t i = 0; i < one->cells.size(); ++i) {
        EXPECT_EQ(one->cells[i].found, three->cells[i].found);
    }
    for (std::size_t i = 0; i < one->ranks.size(); ++i) {
        EXPECT_EQ(one->ranks[i].ranks, three->ranks[i].ranks);
    }
}

TEST(KeyRecall, keys_that_are_alike_within_a_page_are_always_found) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    std::vector<float> keys;
    std::vector<std::vector<float>> queries;
    std::vector<float> own(dim);
    for (int page = 0; page < 40; ++page) {
        for (float& value : own) value = normal(random);
        for (std::int64_t t = 0; t < page_tokens; ++t) {
            for (const float value : own) keys.push_back(value + 1e-3F * normal(random));
        }
        queries.push_back(own);
    }
    engine::ThreadPool pool(2);
    const std::vector<AssociativeDigest> digests{
        {kv::DigestKind::minmax, kv::DigestType::f16, 1.0F},
        {kv::DigestKind::centre_std, kv::DigestType::f16, 1.0F}};
    const auto found = measure_key_recall(keys, dim, page_tokens, queries, digests, pool);
    ASSERT_TRUE(found.ok());
    for (const KeyRecall& recall : *found) {
        EXPECT_EQ(recall.pages, 40);
        EXPECT_EQ(recall.among(1), 1.0);
    }
}

}  // namespace
}  // namespace memside::eval
