// QK^T and SV alone, compiled and run on data against sums in double: scores go to the banks, and
// weights come from there.
#include <cmath>
#include <random>
#include <set>

#include "compiler/attention_on_data.h"
#include "compiler/compile_text.h"
#include "compiler/plan/score_layout.h"
#include "pim/dynamic/dynamic_machine.h"

namespace memside::compiler {
namespace {

using pim::Bf16;
using Vectors = std::vector<std::vector<Bf16>>;

constexpr pim::Dispatcher::RequestId request = 3;

std::string text_of(const AttentionShape& shape, bool qk) {
    const std::uint32_t heads = shape.kv_heads * shape.group;
    const std::string types = fmt::format(
        "!q = tensor<{0}x{2}xbf16, #decode.axes<[head, channel]>>\n"
        "!s = tensor<{0}x?xbf16, #decode.axes<[head, token]>>\n"
        "!c = !decode.cache<{1} x {2}, {3}>\n",
        heads, shape.kv_heads, shape.head_dim, qk ? "key" : "value");
    return types + (qk ? "func.func @qk(%q: !q, %k: !c) -> !s {\n"
                         "  %s = decode.qk %q, %k : !q, !c -> !s\n  return %s : !s\n}\n"
                       : "func.func @sv(%w: !s, %v: !c) -> !q {\n"
                         "  %o = decode.sv %w, %v : !s, !c -> !q\n  return %o : !q\n}\n");
}

// A round of heads: the plan that the compiler makes too, its cache and its scores by region.
struct Round {
    std::uint32_t first_head = 0;
    pim::KvLayout cache;
    ScoreLayout scores;
};

std::vector<Round> rounds_of(const AttentionShape& shape, const CompileOptions& options, bool qk) {
    AttentionOptions plan;
    plan.channels = options.channels;
    plan.partition = options.heads == "tcp" ? HeadPartition::tcp : HeadPartition::hfp;
    const std::uint32_t tiles = pim::units(shape.head_dim, pim::lanes);
    const auto rounds =
        plan_rounds(shape, plan,
                    {.scratch_tiles = pim::gpr_entries - 1 - shape.kv_heads * shape.group * tiles});
    EXPECT_TRUE(rounds.ok()) << rounds.error().message();
    std::vector<Round> made;
    for (const HeadRound& round : *rounds) {
        made.push_back({round.first_head, qk ? round.plan.keys : round.plan.values,
                        score_layout(round.plan).value()});
    }
    return made;
}

// A program with its request, ready for its step.
class Run {
  public:
    Run(const AttentionShape& shape, const CompileOptions& options, std::uint64_t tokens, bool qk)
        : shape_(shape), tokens_(tokens), made_(compile_text(text_of(shape, qk), options)) {
        if (!made_) return;
        rounds_ = rounds_of(shape, options, qk);
        const pim::DynamicProgram& program = made_->program;
        if (options.is_static) {
            for (const pim::Region& region : program.regions) {
                pim::zero_rows(program.channels, region.first_row, region.rows, machine.memory());
                tables_.push_back(pim::RowTable::identity(region.first_row, region.rows));
            }
            return;
        }
        dispatcher_.emplace(
            pim::Dispatcher::create(program,
                                    shuffled_pool(pim::rows_per_bank, program.chunk_rows, tokens),
                                    machine.zeroing(program.channels))
                .value());
        EXPECT_TRUE(dispatcher_->admit(request, tokens - 1).ok());
        // The step's own chunks, before data is placed.
        struct Ignore : pim::Sink {
            Status instruction(const pim::Instruction&) override { return {}; }
            Status hub(const pim::HubCall&) override { return {}; }
        } ignore;
        EXPECT_TRUE(dispatcher_->expand(request, 0, ignore).ok());
        for (std::uint32_t i = 0; i < program.regions.size(); ++i) {
            tables_.push_back(dispatcher_->table(request, i));
        }
    }

    explicit operator bool() const { return made_.has_value(); }
    std::uint32_t gpr(const char* name) const { return made_->registers.at(name); }

    void place_cache(const Vectors& heads) {
        for (std::size_t r = 0; r < rounds_.size(); ++r) {
            for (unsigned h = 0; h < rounds_[r].cache.heads; ++h) {
                const std::vector<Bf16>& all = heads[rounds_[r].first_head + h];
                for (std::uint64_t t = 0; t < tokens_; ++t) {
                    const auto one = std::span(all).subspan(t * shape_.head_dim, shape_.head_dim);
                    ASSERT_TRUE(
                        pim::place_token(rounds_[r].cache, tables_[r], t, h, one, machine.memory())
                            .ok());
                }
            }
        }
    }

    // The tile of a score and the token's lane in it. Regions of caches come first.
    pim::Tile& score(std::size_t query_head, std::uint64_t token) {
        const std::uint32_t head = static_cast<std::uint32_t>(query_head) / shape_.group;
        std::size_t r = 0;
        while (r + 1 < rounds_.size() && rounds_[r + 1].first_head <= head) ++r;
        const pim::Place place =
            rounds_[r].scores.place(token, head - rounds_[r].first_head,
                                    static_cast<std::uint32_t>(query_head) % shape_.group);
        const auto row = tables_[rounds_.size() + r].physical(place.row);
        EXPECT_TRUE(row.has_value());
        return machine.memory().bank(place.channel, place.bank, row.value_or(0), place.entry);
    }

    void step() {
        const Status ran = dispatcher_
                               ? dispatcher_->step(request, machine)
                               : pim::Expander(made_->program).run_all(tokens_, {}, machine);
        ASSERT_TRUE(ran.ok()) << ran.error().message();
        for (const pim::UninitialisedReads* reads :
             {&machine.machine().uninitialised(), &machine.hub_unit().uninitialised()}) {
            ASSERT_EQ(reads->count, 0U) << reads->first.front().message();
        }
    }

    pim::DynamicMachine machine;

  private:
    AttentionShape shape_;
    std::uint64_t tokens_;
    std::optional<CompiledProgram> made_;
    std::vector<Round> rounds_;
    std::optional<pim::Dispatcher> dispatcher_;
    std::vector<pim::RowTable> tables_;
};

// Sums of products in FP32, rounded to bf16 once.
void check_qk(const AttentionShape& shape, const CompileOptions& options, std::uint64_t tokens) {
    const AttentionData data = attention_data(shape, tokens, tokens);
    Run run(shape, options, tokens, true);
    ASSERT_TRUE(run);
    run.place_cache(data.keys);
    const std::uint32_t tiles = pim::units(shape.head_dim, pim::lanes);
    for (std::size_t q = 0; q < data.queries.size(); ++q) {
        pim::place_in_gprs(data.queries[q], tiles,
                           run.gpr("argument0") + static_cast<std::uint32_t>(q) * tiles,
                           run.machine.memory());
    }
    run.step();
    for (std::size_t q = 0; q < data.queries.size(); ++q) {
        const std::vector<Bf16>& keys = data.keys[q / shape.group];
        for (std::uint64_t t = 0; t < tokens; ++t) {
            double dot = 0;
            double magnitude = 0;
            for (std::size_t d = 0; d < shape.head_dim; ++d) {
                const double product = double{pim::to_float(data.queries[q][d])} *
                                       double{pim::to_float(keys[t * shape.head_dim + d])};
                dot += product;
                magnitude += std::fabs(product);
            }
            const double got = pim::to_float(run.score(q, t).values[t % pim::lanes]);
            ASSERT_NEAR(got, dot, std::fabs(dot) * pim::bf16_roundoff + magnitude * 0x1p-18)
                << "query " << q << ", token " << t;
        }
    }
}

void check_sv(const AttentionShape& shape, const CompileOptions& options, std::uint64_t tokens) {
    const AttentionData data = attention_data(shape, tokens, tokens);
    Run run(shape, options, tokens, false);
    ASSERT_TRUE(run);
    run.place_cache(data.values);
    std::mt19937_64 random(tokens);
    std::uniform_real_distribution<float> weight(0.0F, 2.0F / static_cast<float>(tokens));
    Vectors weights(data.queries.size());
    for (std::size_t q = 0; q < weights.size(); ++q) {
        for (std::uint64_t t = 0; t < tokens; ++t) {
            weights[q].push_back(pim::to_bf16(weight(random)));
            run.score(q, t).set(t % pim::lanes, weights[q].back());
        }
    }
    run.step();
    const std::uint32_t tiles = pim::units(shape.head_dim, pim::lanes);
    for (std::size_t q = 0; q < weights.size(); ++q) {
        const auto got =
            pim::gather_gprs(run.gpr("result0") + static_cast<std::uint32_t>(q) * tiles,
                             shape.head_dim, run.machine.memory());
        const std::vector<Bf16>& values = data.values[q / shape.group];
        for (std::size_t d = 0; d < shape.head_dim; ++d) {
            double sum = 0;
            double magnitude = 0;
            for (std::uint64_t t = 0; t < tokens; ++t) {
                const double product = double{pim::to_float(weights[q][t])} *
                                       double{pim::to_float(values[t * shape.head_dim + d])};
                sum += product;
                magnitude += std::fabs(product);
            }
            // The sums of up to 32 classes and their total are rounded to bf16 once each.
            ASSERT_NEAR(double{pim::to_float(got[d])}, sum, 2 * magnitude * pim::bf16_roundoff)
                << "query " << q << ", dimension " << d;
        }
    }
}

void check(const AttentionShape& shape, std::uint64_t tokens, unsigned channels = 32) {
    for (const char* heads : {"tcp", "hfp"}) {
        CompileOptions options{.heads = heads, .channels = channels};
        for (const bool fixed : {false, true}) {
            SCOPED_TRACE(fmt::format("{} tokens, {}, {} channels, {}", tokens, heads, channels,
                                     fixed ? "static" : "dpa"));
            options.is_static = options.unroll = fixed;
            options.max_context = fixed ? tokens : 0;
            check_qk(shape, options, tokens);
            check_sv(shape, options, tokens);
        }
    }
}

constexpr AttentionShape llama{.kv_heads = 8, .group = 4, .head_dim = 128};
constexpr AttentionShape gemma{.kv_heads = 1, .group = 4, .head_dim = 256};

class CompiledKernels : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Contexts, CompiledKernels, testing::Values(1, 15, 16, 17, 1024, 4096));

TEST_P(CompiledKernels, of_gemma_equal_the_reference) {
    check(gemma, GetParam());
}

TEST_P(CompiledKernels, of_llama_equal_the_reference) {
    check(llama, GetParam());
}

// Heads whose tiles divide no number of channels, and channels that are no power of two.
TEST(compiled_kernels, of_odd_shapes_at_random_contexts_equal_the_reference) {
    std::mt19937_64 random(21);
    std::uniform_int_distribution<std::uint64_t> tokens(1, 3000);
    check({.kv_heads = 2, .group = 3, .head_dim = 96}, tokens(random));
    check({.kv_heads = 2, .group = 3, .head_dim = 48}, tokens(random));
    check({.kv_heads = 2, .group = 1, .head_dim = 128}, tokens(random), 5);
    check({.kv_heads = 3, .group = 2, .head_dim = 80}, tokens(random), 12);
    check({.kv_heads = 7, .group = 1, .head_dim = 64}, tokens(random), 3);
    check({.kv_heads = 1, .group = 2, .head_dim = 16}, tokens(random));
}

// More scores than the registers hold: 4 x 40,000 of them are 10,000 tiles.
TEST(compiled_kernels, beyond_a_row_of_scores_equal_the_reference) {
    const CompileOptions options{.heads = "tcp"};
    check_qk(gemma, options, 70001);
    check_sv(gemma, options, 70001);
}

TEST(compiled_kernels, all_places_of_scores_are_different) {
    for (const Round& round : rounds_of({.kv_heads = 5, .group = 3, .head_dim = 48},
                                        {.heads = "hfp", .channels = 4}, true)) {
        std::set<std::array<std::uint32_t, 5>> seen;
        for (unsigned head = 0; head < round.scores.heads; ++head) {
            for (std::uint32_t query = 0; query < 3; ++query) {
                for (std::uint32_t t = 0; t < 5000; ++t) {
                    const pim::Place place = round.scores.place(t, head, query);
                    EXPECT_LT(place.row, round.scores.rows(t + 1));
                    EXPECT_TRUE(
                        seen.insert({place.channel, place.row, place.entry, t % 16, query}).second);
                }
            }
        }
    }
}

}  // namespace
}  // namespace memside::compiler
