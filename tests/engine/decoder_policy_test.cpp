// Decode steps of whole models under the policies that select pages.
#include <cmath>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/random_model.h"

namespace memside::engine {
namespace {

using test::RandomModel;

std::vector<TokenId> some_tokens(std::size_t count) {
    std::vector<TokenId> tokens;
    for (std::size_t i = 0; i < count; ++i) {
        tokens.push_back(static_cast<TokenId>((i * i * 7 + i * 3 + 1) % 64));
    }
    return tokens;
}

KvPolicy policy_of(std::string_view name, std::int64_t budget_tokens, int dense_layers = 0) {
    KvPolicy policy;
    policy.variant = &kv_policy_variant(name);
    policy.selection.budget_tokens = budget_tokens;
    policy.selection.pinned = {1, 1};
    policy.dense_layers = dense_layers;
    return policy;
}

constexpr std::string_view selecting[] = {"pnm-kv", "png-kv", "recall"};
constexpr std::size_t prompt = 200;
constexpr std::size_t total = 230;

class DecoderPolicyTest : public testing::Test {
  protected:
    void open(const std::string& architecture, std::uint32_t window = 0) {
        RandomModel model;
        model.shape.architecture = architecture;
        model.shape.vocab = 64;
        model.shape.layers = 3;
        model.sliding_window = window;
        test::build(model);
        auto opened = open_model(folder_.write("model.gguf", model.file));
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        model_ = std::make_unique<ModelFile>(std::move(opened).value());
    }

    std::unique_ptr<Decoder> make(const KvPolicy& policy, unsigned threads = 2) {
        DecoderOptions options;
        options.capacity_tokens = total;
        options.page_tokens = 16;
        options.threads = threads;
        options.policy = policy;
        auto made = Decoder::make(*model_, options);
        EXPECT_TRUE(made.ok()) << made.error().message();
        return std::move(made).value();
    }

    // Logits after the prompt and after every token that follows.
    std::vector<std::vector<float>> logits(Decoder& decoder) {
        const std::vector<TokenId> tokens = some_tokens(total);
        const std::span<const TokenId> all(tokens);
        std::vector<std::vector<float>> result;
        const auto keep = [&](std::span<const float> row) {
            result.emplace_back(row.begin(), row.end());
        };
        keep(decoder.feed(all.first(prompt)).value());
        for (std::size_t t = prompt; t < total; ++t) keep(decoder.feed(all.subspan(t, 1)).value());
        return result;
    }

    static double difference(const std::vector<float>& a, const std::vector<float>& b) {
        double squares = 0.0;
        double differences = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            squares += std::pow(static_cast<double>(b[i]), 2);
            differences += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
        }
        return std::sqrt(differences / squares);
    }

    TempFolder folder_;
    std::unique_ptr<ModelFile> model_;
};

constexpr double rounding = 1e-5;

TEST_F(DecoderPolicyTest, a_budget_of_the_whole_sequence_gives_the_logits_of_dense) {
    for (const char* architecture : {"llama", "qwen3"}) {
        ASSERT_NO_FATAL_FAILURE(open(architecture));
        const auto want = logits(*make({}));
        for (const std::string_view name : selecting) {
            const auto got = logits(*make(policy_of(name, total)));
            for (std::size_t i = 0; i < want.size(); ++i) {
                ASSERT_LT(difference(got[i], want[i]), rounding) << name << " after " << i;
            }
        }
    }
}

TEST_F(DecoderPolicyTest, a_prompt_attends_everything_and_steps_what_was_selected) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const auto want = logits(*make({}));
    for (const std::string_view name : selecting) {
        const auto decoder = make(policy_of(name, 48));
        const auto got = logits(*decoder);
        EXPECT_LT(difference(got[0], want[0]), rounding) << name;
        double largest = 0.0;
        for (std::size_t i = 1; i < want.size(); ++i) {
            largest = std::max(largest, difference(got[i], want[i]));
        }
        // Three pages of thirteen or more are not everything.
        EXPECT_GT(largest, 100 * rounding) << name;
        EXPECT_EQ(decoder->statistics().policy.pages_selected,
                  3 * decoder->statistics().policy.sets);
    }
}

TEST_F(DecoderPolicyTest, where_pages_lie_does_not_change_what_is_computed) {
    ASSERT_NO_FATAL_FAILURE(open("qwen2"));
    const auto want = logits(*make(policy_of("pnm-kv", 64)));
    for (const std::string_view name : {"png-kv", "recall"}) {
        const auto got = logits(*make(policy_of(name, 64)));
        for (std::size_t i = 0; i < want.size(); ++i) {
            ASSERT_LT(difference(got[i], want[i]), rounding) << name << " after " << i;
        }
    }
}

TEST_F(DecoderPolicyTest, dense_layers_attend_everything) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const auto want = logits(*make({}));
    const auto decoder = make(policy_of("pnm-kv", 48, 3));
    const auto got = logits(*decoder);
    for (std::size_t i = 0; i < want.size(); ++i) {
        ASSERT_LT(difference(got[i], want[i]), rounding) << "after " << i;
    }
    EXPECT_EQ(decoder->statistics().policy.sets, 0);
    const auto one = make(policy_of("pnm-kv", 48, 2));
    logits(*one);
    const KvShape& shape = one->store().shape();
    EXPECT_EQ(one->statistics().policy.sets,
              static_cast<std::int64_t>(total - prompt) * shape.kv_heads);
}

TEST_F(DecoderPolicyTest, layers_whose_window_slides_are_attended_whole) {
    ASSERT_NO_FATAL_FAILURE(open("gemma3", 32));
    const auto decoder = make(policy_of("pnm-kv", 48));
    logits(*decoder);
    std::int64_t selecting_layers = 0;
    for (int layer = 0; layer < model_->config.spec.layers; ++layer) {
        if (!model_->config.spec.slides(layer)) ++selecting_layers;
    }
    ASSERT_LT(selecting_layers, model_->config.spec.layers);
    EXPECT_EQ(decoder->statistics().policy.sets, static_cast<std::int64_t>(total - prompt) *
                                                     selecting_layers *
                                                     decoder->store().shape().kv_heads);
}

TEST_F(DecoderPolicyTest, the_number_of_threads_does_not_change_the_selection) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const auto one = make(policy_of("recall", 48), 1);
    const auto three = make(policy_of("recall", 48), 3);
    const auto a = logits(*one);
    const auto b = logits(*three);
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_LT(difference(b[i], a[i]), rounding);
    EXPECT_EQ(one->statistics().policy.pages_recalled, three->statistics().policy.pages_recalled);
}

TEST_F(DecoderPolicyTest, a_random_fill_stands_for_a_prompt) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    const auto decoder = make(policy_of("png-kv", 64));
    ASSERT_TRUE(decoder->fill_random(prompt, 5).ok());
    EXPECT_EQ(decoder->length(), static_cast<std::int64_t>(prompt));
    const TokenId token = 3;
    for (int step = 0; step < 10; ++step) {
        const std::span<const float> logits = decoder->feed(std::span(&token, 1)).value();
        for (const float value : logits) {
            ASSERT_TRUE(std::isfinite(value));
        }
    }
    EXPECT_EQ(decoder->statistics().policy.pages_selected, 4 * decoder->statistics().policy.sets);
    EXPECT_GT(decoder->statistics().policy.pages_scanned, 0);
}

TEST_F(DecoderPolicyTest, a_budget_below_the_pins_is_refused) {
    ASSERT_NO_FATAL_FAILURE(open("llama"));
    DecoderOptions options;
    options.capacity_tokens = total;
    options.page_tokens = 16;
    options.policy = policy_of("pnm-kv", 16);
    const auto made = Decoder::make(*model_, options);
    ASSERT_FALSE(made.ok());
    EXPECT_THAT(made.error().message(), testing::HasSubstr("--budget"));
}

}  // namespace
}  // namespace memside::engine
