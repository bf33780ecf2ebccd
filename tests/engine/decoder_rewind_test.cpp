// A sequence that is prefilled once and continued many times: rewinds and changes of policy.
#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/random_model.h"

namespace memside::engine {
namespace {

using test::RandomModel;
using Rows = std::vector<std::vector<float>>;

constexpr std::int64_t prompt = 200;
constexpr std::int64_t continued = 70;
constexpr std::int64_t window = 32;

std::vector<TokenId> some_tokens(std::int64_t count, std::int64_t seed) {
    std::vector<TokenId> tokens;
    for (std::int64_t i = 0; i < count; ++i) {
        tokens.push_back(static_cast<TokenId>((i * i * 7 + i * (3 + seed) + 1) % 64));
    }
    return tokens;
}

KvPolicy selecting(std::int64_t budget_tokens, kv::DigestKind kind = kv::DigestKind::minmax,
                   std::string_view name = "pnm-kv") {
    KvPolicy policy;
    policy.variant = &kv_policy_variant(name);
    policy.selection.budget_tokens = budget_tokens;
    policy.selection.pinned = {1, 1};
    policy.digest.kind = kind;
    return policy;
}

class DecoderRewindTest : public testing::Test {
  protected:
    void open(const std::string& architecture) {
        RandomModel model;
        model.shape.architecture = architecture;
        model.shape.vocab = 64;
        model.shape.layers = 7;
        if (architecture == "gemma3") model.sliding_window = window;
        test::build(model);
        auto opened = open_model(folder_.write("model.gguf", model.file));
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        model_ = std::make_unique<ModelFile>(std::move(opened).value());
    }

    std::unique_ptr<Decoder> make(const KvPolicy& policy = {}, unsigned threads = 2) {
        DecoderOptions options;
        options.capacity_tokens = prompt + continued;
        options.page_tokens = 16;
        options.rewind_tokens = continued;
        options.threads = threads;
        options.policy = policy;
        auto made = Decoder::make(*model_, options);
        EXPECT_TRUE(made.ok()) << made.error().message();
        return std::move(made).value();
    }

    // Logits after each of the tokens, every one a decode step.
    static Rows steps(Decoder& decoder, const std::vector<TokenId>& tokens) {
        Rows rows;
        for (const TokenId token : tokens) {
            const auto logits = decoder.feed(std::span(&token, 1)).value();
            rows.emplace_back(logits.begin(), logits.end());
        }
        return rows;
    }

    static void prefill(Decoder& decoder) {
        ASSERT_TRUE(decoder.feed(some_tokens(prompt, 0)).ok());
    }

    TempFolder folder_;
    std::unique_ptr<ModelFile> model_;
};

TEST_F(DecoderRewindTest, after_a_rewind_logits_are_those_of_a_fresh_run) {
    for (const char* architecture : {"llama", "gemma3"}) {
        ASSERT_NO_FATAL_FAILURE(open(architecture));
        const auto rewound = make();
        prefill(*rewound);
        steps(*rewound, some_tokens(continued, 5));
        rewound->truncate(prompt);
        const auto fresh = make();
        prefill(*fresh);
        // Bit for bit: nothing of the first continuation is left.
        EXPECT_EQ(steps(*rewound, some_tokens(continued, 9)),
                  steps(*fresh, some_tokens(continued, 9)))
            << architecture;
        rewound->truncate(prompt);
        fresh->truncate(prompt);
        const std::vector<TokenId> block = some_tokens(continued, 11);
        const auto a = rewound->feed(block).value();
        const auto b = fresh->feed(block).value();
        EXPECT_TRUE(std::ranges::equal(a, b)) << architecture << ", in a block";
    }
}

TEST_F(DecoderRewindTest, a_policy_set_later_is_one_that_was_there_from_the_start) {
    for (const char* architecture : {"llama", "gemma3"}) {
        ASSERT_NO_FATAL_FAILURE(open(architecture));
        const auto changing = make();
        prefill(*changing);
        const Rows dense = steps(*changing, some_tokens(continued, 5));
        for (const kv::DigestVariant& digest : kv::digest_variants()) {
            for (const char* name : {"pnm-kv", "recall"}) {
                const KvPolicy policy = selecting(48, digest.kind, name);
                changing->truncate(prompt);
                ASSERT_TRUE(changing->set_policy(policy).ok());
                const auto fresh = make(policy);
                prefill(*fresh);
                fresh->reset_statistics();
                const Rows got = steps(*changing, some_tokens(continued, 5));
                EXPECT_EQ(got, steps(*fresh, some_tokens(continued, 5))) << name;
                EXPECT_NE(got, dense) << name;
                EXPECT_EQ(changing->statistics().policy.kv_bytes,
                          fresh->statistics().policy.kv_bytes);
            }
        }
        changing->truncate(prompt);
        ASSERT_TRUE(changing->set_policy({}).ok());
        EXPECT_EQ(steps(*changing, some_tokens(continued, 5)), dense);
        EXPECT_EQ(changing->statistics().policy.kv_bytes, 0);
    }
}

TEST_F(DecoderRewindTest, a_policy_that_is_refused_leaves_the_one_before) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const auto decoder = make(selecting(48));
    prefill(*decoder);
    const Rows want = steps(*decoder, some_tokens(continued, 5));
    decoder->truncate(prompt);
    const Status refused = decoder->set_policy(selecting(16));
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.error().message(), testing::HasSubstr("--budget"));
    EXPECT_EQ(steps(*decoder, some_tokens(continued, 5)), want);
}

TEST_F(DecoderRewindTest, steps_of_several_tokens_are_steps_one_by_one) {
    ASSERT_NO_FATAL_FAILURE(open("gemma3"));
    const auto decoder = make(selecting(48));
    prefill(*decoder);
    const Rows want = steps(*decoder, some_tokens(continued, 5));
    decoder->truncate(prompt);
    const auto got = decoder->step(some_tokens(continued, 5)).value();
    EXPECT_TRUE(std::ranges::equal(got, want.back()));
    decoder->truncate(prompt);
    const auto block = decoder->feed(some_tokens(continued, 5)).value();
    EXPECT_FALSE(std::ranges::equal(block, want.back()));
}

TEST_F(DecoderRewindTest, a_budget_of_everything_is_dense_to_the_last_bit) {
    for (const char* architecture : {"llama", "gemma3"}) {
        ASSERT_NO_FATAL_FAILURE(open(architecture));
        const auto dense = make();
        prefill(*dense);
        const Rows want = steps(*dense, some_tokens(continued, 5));
        for (const kv::SelectPer per : {kv::SelectPer::layer, kv::SelectPer::kv_head}) {
            KvPolicy policy = selecting(prompt + continued);
            policy.selection.select_per = per;
            dense->truncate(prompt);
            ASSERT_TRUE(dense->set_policy(policy).ok());
            EXPECT_EQ(steps(*dense, some_tokens(continued, 5)), want) << architecture;
        }
        ASSERT_TRUE(dense->set_policy({}).ok());
    }
}

TEST_F(DecoderRewindTest, the_number_of_threads_does_not_change_a_bit) {
    for (const char* architecture : {"llama", "gemma3"}) {
        ASSERT_NO_FATAL_FAILURE(open(architecture));
        for (const KvPolicy& policy : {KvPolicy{}, selecting(64)}) {
            const auto one = make(policy, 1);
            prefill(*one);
            const Rows want = steps(*one, some_tokens(continued, 5));
            for (const unsigned threads : {2U, 5U}) {
                const auto more = make(policy, threads);
                prefill(*more);
                EXPECT_EQ(steps(*more, some_tokens(continued, 5)), want) << architecture;
            }
        }
    }
}

}  // namespace
}  // namespace memside::engine
