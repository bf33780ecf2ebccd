#include "engine/decoder.h"

#include "base/temp_folder.h"
#include "engine/agreement.h"
#include "engine/random_model.h"

namespace memside::engine {
namespace {

using test::RandomModel;

std::vector<int> some_tokens(std::size_t count, std::uint32_t vocab) {
    std::vector<int> tokens;
    for (std::size_t i = 0; i < count; ++i) {
        tokens.push_back(static_cast<int>((i * i * 7 + i * 3 + 1) % vocab));
    }
    return tokens;
}

class DecoderTest : public testing::Test {
  protected:
    // Feeds a prefix as a block and the rest token by token, and compares with the reference.
    void expect_reference(RandomModel& model, std::size_t count, std::size_t prefix,
                          double tolerance) {
        build(model);
        const std::string path = folder_.write("model.gguf", model.file);
        const auto opened = open_model(path);
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        DecoderOptions options;
        options.capacity_tokens = static_cast<std::int64_t>(count);
        options.page_tokens = 16;
        options.kv_type = kv_type_;
        options.threads = 2;
        auto made = Decoder::make(*opened, options);
        ASSERT_TRUE(made.ok()) << made.error().message();
        Decoder& decoder = **made;
        const std::vector<int> tokens = some_tokens(count, model.shape.vocab);
        const auto want = reference_logits(model, tokens);
        const std::span<const TokenId> all(tokens);
        EXPECT_LT(test::compare(decoder.feed(all.first(prefix)).value(), want[prefix - 1]).error,
                  tolerance)
            << model.shape.architecture << " after the block";
        for (std::size_t i = prefix; i < count; ++i) {
            ASSERT_LT(test::compare(decoder.feed(all.subspan(i, 1)).value(), want[i]).error,
                      tolerance)
                << model.shape.architecture << " after token " << i;
        }
        EXPECT_EQ(decoder.length(), static_cast<std::int64_t>(count));
    }

    TempFolder folder_;
    kv::ValueType kv_type_ = kv::ValueType::f16;
};

RandomModel model_of(const std::string& architecture) {
    RandomModel model;
    model.shape.architecture = architecture;
    model.shape.vocab = 64;
    return model;
}

// All that differs is rounding: f32 and activations of 16 bits against f64, and rarely an f16 of
// the store.
constexpr double rounding = 5e-4;

TEST_F(DecoderTest, llama_agrees_with_the_reference) {
    RandomModel model = model_of("llama");
    model.rope_base = 500000.0;
    model.rope_factors = true;
    expect_reference(model, 90, 75, rounding);
}

TEST_F(DecoderTest, llama_with_fused_projections_agrees_with_the_reference) {
    RandomModel model = model_of("llama");
    model.shape.fused_qkv = true;
    model.shape.heads = 6;
    model.linear_factor = 2.0;
    expect_reference(model, 40, 33, rounding);
}

TEST_F(DecoderTest, qwen2_with_biases_agrees_with_the_reference) {
    RandomModel model = model_of("qwen2");
    model.shape.tied = true;
    model.rope_base = 1e6;
    expect_reference(model, 40, 21, rounding);
}

TEST_F(DecoderTest, qwen3_with_head_norms_agrees_with_the_reference) {
    RandomModel model = model_of("qwen3");
    model.shape.head_dim = 32;
    model.shape.heads = 8;
    model.shape.kv_heads = 1;
    expect_reference(model, 40, 20, rounding);
}

TEST_F(DecoderTest, gemma3_with_windows_and_post_norms_agrees_with_the_reference) {
    RandomModel model = model_of("gemma3");
    model.shape.layers = 7;
    model.shape.tied = true;
    model.shape.kv_heads = 1;
    model.sliding_window = 21;
    model.rope_base = 1e6;
    model.linear_factor = 8.0;
    model.logit_cap = 30.0;
    // Long enough for the layers with a window to write over their oldest pages.
    expect_reference(model, 170, 140, rounding);
}

TEST_F(DecoderTest, weights_of_every_type_agree_with_the_reference) {
    for (const WeightType type : weight_types()) {
        RandomModel model = model_of("llama");
        model.shape.hidden = 256;
        model.shape.heads = 8;
        model.shape.head_dim = 32;
        model.shape.ffn = 512;
        model.type = type;
        model.other_type = WeightType::q8_0;
        expect_reference(model, 20, 17, 2.0 * rounding);
    }
}

TEST_F(DecoderTest, keys_and_values_of_fewer_bits_stay_near_the_reference) {
    RandomModel model = model_of("gemma3");  // with layers that write over their oldest pages
    model.shape.layers = 7;
    model.sliding_window = 21;
    kv_type_ = kv::ValueType::bf16;
    expect_reference(model, 170, 140, 0.02);
    kv_type_ = kv::ValueType::int8;
    expect_reference(model, 170, 140, 0.04);
}

TEST_F(DecoderTest, a_sequence_may_be_cut_and_continued_otherwise) {
    RandomModel model = model_of("llama");
    build(model);
    const auto opened = open_model(folder_.write("model.gguf", model.file));
    ASSERT_TRUE(opened.ok());
    DecoderOptions options;
    options.capacity_tokens = 50;
    auto decoder = std::move(Decoder::make(*opened, options)).value();
    const std::vector<int> tokens = some_tokens(50, model.shape.vocab);
    ASSERT_TRUE(decoder->feed(std::span(tokens).first(30)).ok());
    const auto once = decoder->feed(std::span(tokens).subspan(30, 5)).value();
    const std::vector<float> first(once.begin(), once.end());
    ASSERT_TRUE(decoder->feed(std::span(tokens).subspan(40, 10)).ok());
    decoder->truncate(30);
    const auto again = decoder->feed(std::span(tokens).subspan(30, 5)).value();
    EXPECT_THAT(again, testing::ElementsAreArray(first));
}

}  // namespace
}  // namespace memside::engine
