// The models of models/: their published parameter counts, and what follows per token by hand.
#include <fstream>
#include <iterator>

#include "base/data_dir.h"
#include "model/hf_config.h"

namespace memside {
namespace {

ModelSpec preset(const std::string& name) {
    const std::string path = std::string(MEMSIDE_SOURCE_DIR) + "/models/" + name + "/config.json";
    std::ifstream file(path);
    const std::string json{std::istreambuf_iterator<char>(file), {}};
    auto spec = parse_hf_config(json, path, name);
    EXPECT_TRUE(spec.ok()) << spec.error().message();
    return spec.ok() ? *spec : ModelSpec{};
}

struct Published {
    const char* name;
    std::int64_t parameters;
};

class PublishedCount : public testing::TestWithParam<Published> {};

TEST_P(PublishedCount, parameters_are_the_published_ones) {
    EXPECT_EQ(preset(GetParam().name).weights.parameters(), GetParam().parameters);
}

// Totals of the publishers' weight files; see models/README.md. Gemma 3 4B: the text part.
const std::vector<Published> published{
    {"llama-2-13b", 13'015'864'320},   {"llama-3.1-8b", 8'030'261'248},
    {"llama-3.1-70b", 70'553'706'496}, {"llama-3.1-405b", 405'853'388'800},
    {"llama-3.2-1b", 1'235'814'400},   {"qwen1.5-7b", 7'721'324'544},
    {"qwen1.5-72b", 72'287'920'128},   {"qwen2.5-7b", 7'615'616'512},
    {"qwen3-8b", 8'190'735'360},       {"gemma-3-270m", 268'098'176},
    {"gemma-3-4b", 3'880'263'168},     {"smollm2-135m", 134'515'008},
    {"qwen2.5-0.5b", 494'032'768},     {"qwen3-0.6b", 596'049'920},
};

INSTANTIATE_TEST_SUITE_P(Presets, PublishedCount, testing::ValuesIn(published),
                         [](const auto& test) {
                             std::string name = test.param.name;
                             for (char& c : name) {
                                 if (c == '-' || c == '.') c = '_';
                             }
                             return name;
                         });

TEST(Presets, every_folder_of_models_is_in_this_test) {
    std::vector<std::string> tested{"README.md"};
    for (const Published& model : published) tested.emplace_back(model.name);
    EXPECT_THAT(list_folder(std::string(MEMSIDE_SOURCE_DIR) + "/models"),
                testing::UnorderedElementsAreArray(tested));
}

// The published 4,300,079,472 parameters of Gemma 3 4B less those of its vision tower (SigLIP:
// width 1152, 27 layers, feed-forward 4304, 14 x 14 patches of 3 colours, 64 x 64 positions) and of
// the projector (a matrix and a norm).
TEST(Presets, gemma_4b_is_the_published_total_without_vision) {
    constexpr std::int64_t width = 1152;
    constexpr std::int64_t attention = 4 * (width * width + width);
    constexpr std::int64_t feed_forward = 2 * width * 4304 + 4304 + width;
    constexpr std::int64_t two_norms = 2 * 2 * width;
    constexpr std::int64_t patches = 14 * 14 * 3 * width + width;
    constexpr std::int64_t vision =
        27 * (attention + feed_forward + two_norms) + patches + 64 * 64 * width + 2 * width;
    constexpr std::int64_t projector = width * 2560 + width;
    const ModelSpec spec = preset("gemma-3-4b");
    EXPECT_EQ(spec.weights.parameters() + vision + projector, 4'300'079'472);
    // Files without the 64 padding rows of the vocabulary have 64 x 2560 parameters less.
    EXPECT_EQ(spec.weights.parameters() - 64 * 2560, 3'880'099'328);
}

TEST(Presets, kv_bytes_per_token_of_llama_3_1_at_f16_are_128_320_and_504_kib) {
    EXPECT_EQ(preset("llama-3.1-8b").kv_bytes_per_token(16), 128 * 1024);
    EXPECT_EQ(preset("llama-3.1-70b").kv_bytes_per_token(16), 320 * 1024);
    EXPECT_EQ(preset("llama-3.1-405b").kv_bytes_per_token(16), 504 * 1024);
    EXPECT_EQ(preset("llama-3.1-405b").kv_bytes_per_token(4), 126 * 1024);
}

TEST(Presets, qwen1_5_72b_has_eight_times_the_kv_of_a_grouped_70b) {
    EXPECT_EQ(preset("qwen1.5-72b").kv_bytes_per_token(16),
              8 * preset("llama-3.1-70b").kv_bytes_per_token(16));
}

TEST(Presets, five_of_six_gemma_layers_slide) {
    const ModelSpec small = preset("gemma-3-270m");
    EXPECT_EQ(small.sliding_layers(), 15);
    EXPECT_EQ(small.full_layers(), 3);
    EXPECT_EQ(small.sliding_window_tokens, 512);
    EXPECT_FALSE(small.slides(5));
    EXPECT_TRUE(small.slides(6));
    EXPECT_EQ(small.kept_tokens(0, 8192), 512);
    EXPECT_EQ(small.kept_tokens(0, 100), 100);
    EXPECT_EQ(small.kept_tokens(5, 8192), 8192);

    const ModelSpec large = preset("gemma-3-4b");
    EXPECT_EQ(large.full_layers(), 5);  // layers 5, 11, 17, 23 and 29 of 34
    EXPECT_EQ(large.sliding_window_tokens, 1024);
    EXPECT_FALSE(large.slides(29));
    EXPECT_TRUE(large.slides(33));
}

TEST(Presets, only_gemma_slides) {
    for (const Published& model : published) {
        const bool gemma = std::string(model.name).starts_with("gemma");
        EXPECT_EQ(preset(model.name).sliding_layers() > 0, gemma) << model.name;
    }
}

// Llama-3.1-8B: everything but the embedding (128256 x 4096) and 65 norms of 4096 is a matrix.
TEST(Presets, flops_of_llama_3_1_8b_per_token) {
    const ModelSpec spec = preset("llama-3.1-8b");
    EXPECT_DOUBLE_EQ(spec.fc_flops_per_token(),
                     2.0 * (8'030'261'248.0 - 128256.0 * 4096 - 65.0 * 4096));
    // 32 layers x 4 x 32 heads x 128 values.
    EXPECT_DOUBLE_EQ(spec.attention_flops_per_token(1), 524'288.0);
    EXPECT_DOUBLE_EQ(spec.attention_flops_per_token(131072), 524'288.0 * 131072);
}

TEST(Presets, a_tied_head_is_multiplied_but_not_stored_twice) {
    const ModelSpec spec = preset("llama-3.2-1b");
    EXPECT_TRUE(spec.tied_embeddings);
    EXPECT_EQ(spec.weights.lm_head.parameters, 0);
    EXPECT_DOUBLE_EQ(spec.fc_flops_per_token(), 2.0 * (1'235'814'400.0 - 33.0 * 2048));
}

TEST(Presets, sliding_layers_bound_attention_flops) {
    const ModelSpec spec = preset("gemma-3-270m");
    // 4 x 4 heads x 256 per kept token; 3 full layers and 15 that keep 512.
    EXPECT_DOUBLE_EQ(spec.attention_flops_per_token(32768), 4096.0 * (3 * 32768 + 15 * 512));
}

TEST(Presets, weights_are_two_bytes_each) {
    for (const Published& model : published) {
        const ModelSpec spec = preset(model.name);
        EXPECT_EQ(spec.weights.bytes(), 2 * spec.weights.parameters()) << model.name;
        EXPECT_EQ(spec.weight_type, spec.name == "llama-2-13b" ? "f16" : "bf16");
    }
}

TEST(Presets, windows_are_the_trained_ones) {
    EXPECT_EQ(preset("llama-2-13b").window_tokens, 4096);
    EXPECT_EQ(preset("llama-3.1-405b").window_tokens, 131072);
    EXPECT_EQ(preset("qwen3-8b").window_tokens, 40960);
    EXPECT_EQ(preset("gemma-3-4b").window_tokens, 131072);
}

}  // namespace
}  // namespace memside
