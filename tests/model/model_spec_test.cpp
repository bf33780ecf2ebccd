#include "model/model_spec.h"

#include <rapidcheck/gtest.h>

#include <numeric>

#include "model/shape_limits.h"

namespace memside {
namespace {

ModelSpec small_spec() {
    ModelSpec spec;
    spec.layers = 3;
    spec.hidden = 10;
    spec.heads = 4;
    spec.kv_heads = 2;
    spec.head_dim = 5;
    spec.ffn = 7;
    spec.vocab = 11;
    return spec;
}

TEST(Weights, parts_of_a_small_llama_by_hand) {
    ModelSpec spec = small_spec();
    derive_weights(spec, 2, {});
    EXPECT_EQ(spec.weights.qkv.parameters, 3 * 10 * (20 + 10 + 10));
    EXPECT_EQ(spec.weights.attn_out.parameters, 3 * 20 * 10);
    EXPECT_EQ(spec.weights.ffn_up.parameters, 3 * 2 * 10 * 7);
    EXPECT_EQ(spec.weights.ffn_down.parameters, 3 * 7 * 10);
    EXPECT_EQ(spec.weights.norms.parameters, 3 * 2 * 10 + 10);
    EXPECT_EQ(spec.weights.embedding.parameters, 11 * 10);
    EXPECT_EQ(spec.weights.lm_head.parameters, 11 * 10);
    EXPECT_EQ(spec.weights.parameters(), 1200 + 600 + 420 + 210 + 70 + 110 + 110);
    EXPECT_EQ(spec.weights.bytes(), 2 * spec.weights.parameters());
}

TEST(Weights, each_bias_adds_one_value_per_output) {
    ModelSpec plain = small_spec();
    derive_weights(plain, 4, {});
    ModelSpec biased = small_spec();
    derive_weights(biased, 4, {.qkv = true, .attn_out = true, .ffn = true});
    const auto added = [&](WeightPart ModelWeights::* part) {
        return (biased.weights.*part).parameters - (plain.weights.*part).parameters;
    };
    EXPECT_EQ(added(&ModelWeights::qkv), 3 * 40);
    EXPECT_EQ(added(&ModelWeights::attn_out), 3 * 10);
    EXPECT_EQ(added(&ModelWeights::ffn_up), 3 * 2 * 7);
    EXPECT_EQ(added(&ModelWeights::ffn_down), 3 * 10);
    EXPECT_EQ(added(&ModelWeights::norms), 0);
}

TEST(Weights, qwen3_has_head_norms_and_gemma3_four_norms_a_layer_besides) {
    ModelSpec spec = small_spec();
    spec.architecture = Architecture::qwen3;
    derive_weights(spec, 2, {});
    EXPECT_EQ(spec.weights.norms.parameters, 3 * (2 * 10 + 2 * 5) + 10);
    spec.architecture = Architecture::gemma3;
    derive_weights(spec, 2, {});
    EXPECT_EQ(spec.weights.norms.parameters, 3 * (4 * 10 + 2 * 5) + 10);
}

TEST(Weights, nothing_overflows_at_the_limits) {
    ModelSpec spec;
    spec.layers = max_model_layers;
    spec.hidden = max_model_hidden;
    spec.heads = static_cast<int>(max_model_query_width / max_model_head_dim);
    spec.kv_heads = static_cast<int>(max_model_kv_width / max_model_head_dim);
    spec.head_dim = max_model_head_dim;
    spec.ffn = max_model_ffn;
    spec.vocab = max_model_vocab;
    derive_weights(spec, 8, {.qkv = true, .attn_out = true, .ffn = true});
    const double hidden = 0x1p17;
    const double layer = hidden * (2 * 0x1p20 + 2 * 0x1p17) + 3 * hidden * 0x1p20;
    EXPECT_NEAR(static_cast<double>(spec.weights.bytes()), 8 * 1024 * layer, 0.01 * 8192 * layer);
    EXPECT_EQ(spec.kv_bytes_per_token(32), std::int64_t{1} << 30);
}

TEST(Shape, heads_must_be_a_multiple_of_kv_heads) {
    ModelSpec spec = small_spec();
    EXPECT_TRUE(check_head_shape(spec, "x").ok());
    spec.kv_heads = 3;
    EXPECT_EQ(check_head_shape(spec, "x").error().message(),
              "x: 4 attention heads cannot share 3 key-value heads; the first must be a multiple "
              "of the second");
}

TEST(Shape, a_head_dimension_is_derived_only_when_exact) {
    ModelSpec spec = small_spec();
    EXPECT_FALSE(derived_head_dim(spec, "x").ok());
    spec.hidden = 20;
    EXPECT_EQ(*derived_head_dim(spec, "x"), 5);
}

RC_GTEST_PROP(Sliding, kept_tokens_and_counts_agree_with_the_layer_list, ()) {
    ModelSpec spec = small_spec();
    const auto sliding = *rc::gen::container<std::vector<bool>>(3, rc::gen::arbitrary<bool>());
    const auto window = *rc::gen::inRange(1, 5000);
    const auto context = *rc::gen::inRange<std::int64_t>(1, 10000);
    set_sliding(spec, sliding, window);
    double kept = 0;
    int slide = 0;
    for (int layer = 0; layer < 3; ++layer) {
        const bool slides = sliding[static_cast<std::size_t>(layer)];
        slide += slides ? 1 : 0;
        kept += static_cast<double>(slides && context > window ? window : context);
        RC_ASSERT(spec.slides(layer) == slides);
    }
    RC_ASSERT(spec.sliding_layers() == slide);
    RC_ASSERT(spec.full_layers() == 3 - slide);
    RC_ASSERT((spec.sliding_window_tokens == 0) == (slide == 0));
    RC_ASSERT(spec.attention_flops_per_token(context) == 4 * 4 * 5 * kept);
}

TEST(Sliding, one_layer_of_a_period_sees_everything) {
    EXPECT_EQ(periodic_sliding(7, 3),
              (std::vector<bool>{true, true, false, true, true, false, true}));
    EXPECT_EQ(periodic_sliding(2, 1), (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace memside
