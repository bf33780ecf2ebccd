#include <fstream>
#include <iterator>

#include "gguf_writer.h"
#include "model/gguf_header.h"
#include "model/hf_config.h"

namespace memside {
namespace {

using test::GgufShape;
using test::GgufWriter;

Result<ModelSpec> model(const GgufWriter& writer, const std::string& file = "x.gguf") {
    const auto header = parse_gguf_header(writer.header(), writer.file_bytes(), file);
    EXPECT_TRUE(header.ok()) << header.error().message();
    if (!header.ok()) return header.error();
    return model_from_gguf(*header, file);
}

ModelSpec accepted(const GgufWriter& writer) {
    const auto spec = model(writer);
    EXPECT_TRUE(spec.ok()) << spec.error().message();
    return spec.ok() ? *spec : ModelSpec{};
}

std::string refused(const GgufWriter& writer) {
    const auto spec = model(writer);
    EXPECT_FALSE(spec.ok());
    return spec.ok() ? "" : spec.error().message();
}

// A model whose metadata says what `change` makes of it, with the tensors of `shape`.
template <typename Change>
GgufWriter changed(const GgufShape& shape, Change change) {
    GgufWriter w;
    test::write_metadata(w, shape);
    change(w);
    test::write_tensors(w, shape);
    return w;
}

void expect_same_part(const WeightPart& a, const WeightPart& b, const char* part) {
    EXPECT_EQ(a.parameters, b.parameters) << part;
    EXPECT_EQ(a.bytes, b.bytes) << part;
}

void expect_same_model(const ModelSpec& a, const ModelSpec& b) {
    EXPECT_EQ(a.architecture, b.architecture);
    EXPECT_EQ(a.layers, b.layers);
    EXPECT_EQ(a.hidden, b.hidden);
    EXPECT_EQ(a.heads, b.heads);
    EXPECT_EQ(a.kv_heads, b.kv_heads);
    EXPECT_EQ(a.head_dim, b.head_dim);
    EXPECT_EQ(a.ffn, b.ffn);
    EXPECT_EQ(a.vocab, b.vocab);
    EXPECT_EQ(a.window_tokens, b.window_tokens);
    EXPECT_EQ(a.tied_embeddings, b.tied_embeddings);
    EXPECT_EQ(a.sliding, b.sliding);
    EXPECT_EQ(a.sliding_window_tokens, b.sliding_window_tokens);
    EXPECT_EQ(a.weight_type, b.weight_type);
    expect_same_part(a.weights.qkv, b.weights.qkv, "qkv");
    expect_same_part(a.weights.attn_out, b.weights.attn_out, "attn_out");
    expect_same_part(a.weights.ffn_up, b.weights.ffn_up, "ffn_up");
    expect_same_part(a.weights.ffn_down, b.weights.ffn_down, "ffn_down");
    expect_same_part(a.weights.norms, b.weights.norms, "norms");
    expect_same_part(a.weights.embedding, b.weights.embedding, "embedding");
    expect_same_part(a.weights.lm_head, b.weights.lm_head, "lm_head");
}

// The preset's shape with its weights as f16.
ModelSpec f16_preset(const std::string& name) {
    const std::string path = std::string(MEMSIDE_SOURCE_DIR) + "/models/" + name + "/config.json";
    std::ifstream file(path);
    std::string json{std::istreambuf_iterator<char>(file), {}};
    const std::size_t at = json.find("bfloat16");
    if (at != std::string::npos) json.replace(at, 8, "float16");
    return *parse_hf_config(json, path, name);
}

TEST(ModelFromGguf, a_llama_3_1_8b_at_f16_is_the_model_of_its_config) {
    const GgufShape shape{.layers = 32,
                          .hidden = 4096,
                          .heads = 32,
                          .kv_heads = 8,
                          .head_dim = 128,
                          .ffn = 14336,
                          .vocab = 128256,
                          .window = 131072};
    const ModelSpec spec = accepted(test::gguf_model(shape));
    EXPECT_EQ(spec.weights.parameters(), 8'030'261'248);
    expect_same_model(spec, f16_preset("llama-3.1-8b"));
}

TEST(ModelFromGguf, qwen_and_gemma_files_are_the_models_of_their_configs) {
    expect_same_model(accepted(test::gguf_model({.architecture = "qwen2",
                                                 .layers = 28,
                                                 .hidden = 3584,
                                                 .heads = 28,
                                                 .kv_heads = 4,
                                                 .head_dim = 128,
                                                 .ffn = 18944,
                                                 .vocab = 152064,
                                                 .window = 131072})),
                      f16_preset("qwen2.5-7b"));
    expect_same_model(accepted(test::gguf_model({.architecture = "qwen3",
                                                 .layers = 36,
                                                 .hidden = 4096,
                                                 .heads = 32,
                                                 .kv_heads = 8,
                                                 .head_dim = 128,
                                                 .ffn = 12288,
                                                 .vocab = 151936,
                                                 .window = 40960})),
                      f16_preset("qwen3-8b"));
    const GgufShape gemma{.architecture = "gemma3",
                          .layers = 18,
                          .hidden = 640,
                          .heads = 4,
                          .kv_heads = 1,
                          .head_dim = 256,
                          .ffn = 2048,
                          .vocab = 262144,
                          .window = 32768,
                          .tied = true};
    expect_same_model(
        accepted(
            changed(gemma, [](GgufWriter& w) { w.u32("gemma3.attention.sliding_window", 512); })),
        f16_preset("gemma-3-270m"));
}

TEST(ModelFromGguf, a_fused_qkv_counts_as_its_three_parts) {
    expect_same_model(accepted(test::gguf_model({.fused_qkv = true})),
                      accepted(test::gguf_model({})));
}

TEST(ModelFromGguf, the_bytes_are_those_of_all_tensors_known_or_not) {
    GgufWriter w = test::gguf_model({});
    const ModelSpec plain = accepted(w);
    w.tensor("rope_freqs.weight", {8}, 0, 32);
    w.tensor("something.else", {256, 4}, 14, 840);
    const ModelSpec more = accepted(w);
    EXPECT_EQ(more.weights.bytes(), plain.weights.bytes() + 872);
    EXPECT_EQ(more.weights.norms.bytes, plain.weights.norms.bytes + 872);
    EXPECT_EQ(more.weights.norms.parameters, plain.weights.norms.parameters + 8 + 1024);
}

TEST(ModelFromGguf, the_weight_type_is_the_one_with_most_bytes) {
    GgufWriter w = test::gguf_model({});
    EXPECT_EQ(accepted(w).weight_type, "f16");
    w.tensor("big", {256, 10000}, 12, 1'440'000);
    EXPECT_EQ(accepted(w).weight_type, "q4_k");
}

TEST(ModelFromGguf, the_name_is_the_files_without_a_part_number) {
    const GgufWriter w = test::gguf_model({});
    EXPECT_EQ(model(w, "a/Llama-3.gguf")->name, "Llama-3");
    EXPECT_EQ(model(w, "a/Llama-00001-of-00003.gguf")->name, "Llama");
    EXPECT_EQ(model(w, "a/Llama-3.gguf")->source, "a/Llama-3.gguf");
}

TEST(ModelFromGguf, integers_of_any_width_and_agreeing_lists_are_accepted) {
    GgufWriter w;
    w.text("general.architecture", "llama");
    w.number("llama.block_count", 10, std::uint64_t{2});
    w.number("llama.embedding_length", 5, std::int32_t{64});
    w.numbers("llama.attention.head_count", 4, std::vector<std::uint32_t>{4, 4});
    w.numbers("llama.attention.head_count_kv", 5, std::vector<std::int32_t>{2, 2});
    w.number("llama.feed_forward_length", 2, std::uint16_t{96});
    w.number("llama.context_length", 11, std::int64_t{2048});
    test::write_tensors(w, {});
    expect_same_model(accepted(w), accepted(test::gguf_model({})));
}

TEST(ModelFromGguf, layers_that_differ_are_refused_by_name) {
    GgufWriter w;
    w.text("general.architecture", "llama");
    w.u32("llama.block_count", 2);
    w.u32("llama.embedding_length", 64);
    w.u32("llama.attention.head_count", 4);
    w.numbers("llama.attention.head_count_kv", 4, std::vector<std::uint32_t>{2, 4});
    EXPECT_EQ(refused(w),
              "x.gguf: 'llama.attention.head_count_kv' differs between layers (2 in layer 0, 4 in "
              "layer 1), which is not supported");
}

TEST(ModelFromGguf, gemma_slides_by_its_window_and_pattern) {
    const GgufShape gemma{.architecture = "gemma3", .layers = 7, .tied = true};
    EXPECT_TRUE(accepted(test::gguf_model(gemma)).sliding.empty());
    const auto slides = [&](auto pattern) {
        return changed(gemma, [&](GgufWriter& w) {
            w.u32("gemma3.attention.sliding_window", 512);
            pattern(w);
        });
    };
    const ModelSpec usual = accepted(slides([](GgufWriter&) {}));
    EXPECT_EQ(usual.full_layers(), 1);
    EXPECT_FALSE(usual.slides(5));
    EXPECT_EQ(usual.sliding_window_tokens, 512);
    EXPECT_EQ(accepted(slides([](GgufWriter& w) {
                  w.u32("gemma3.attention.sliding_window_pattern", 3);
              })).full_layers(),
              2);
    EXPECT_EQ(accepted(slides([](GgufWriter& w) {
                  w.numbers("gemma3.attention.sliding_window_pattern", 7,
                            std::vector<std::uint8_t>{1, 0, 0, 0, 0, 0, 1});
              })).sliding,
              (std::vector<bool>{true, false, false, false, false, false, true}));
    EXPECT_THAT(refused(slides([](GgufWriter& w) {
                    w.numbers("gemma3.attention.sliding_window_pattern", 7,
                              std::vector<std::uint8_t>{1});
                })),
                testing::HasSubstr("has 1 entries for 7 layers"));
}

TEST(ModelFromGguf, what_is_not_modelled_is_refused_by_name) {
    EXPECT_EQ(refused(changed({}, [](GgufWriter& w) { w.u32("llama.expert_count", 8); })),
              "x.gguf: mixture-of-experts models (llama.expert_count) are not supported");
    accepted(changed({}, [](GgufWriter& w) { w.u32("llama.expert_count", 0); }));
    EXPECT_THAT(
        refused(changed({}, [](GgufWriter& w) { w.u32("llama.attention.kv_lora_rank", 512); })),
        testing::HasSubstr("multi-head latent attention"));
    EXPECT_THAT(
        refused(changed({}, [](GgufWriter& w) { w.u32("llama.attention.value_length", 8); })),
        testing::HasSubstr("keys of 16 values and values of 8"));
    GgufWriter experts = test::gguf_model({});
    experts.f16("blk.0.ffn_gate_exps.weight", {64, 96, 8});
    EXPECT_THAT(refused(experts), testing::HasSubstr("mixture-of-experts models (tensor"));
    GgufWriter phi;
    phi.text("general.architecture", "phi3");
    EXPECT_EQ(refused(phi),
              "x.gguf: architecture 'phi3' is not supported; supported: llama, "
              "qwen2, qwen3, gemma3");
    GgufWriter moe;
    moe.text("general.architecture", "qwen3moe");
    EXPECT_THAT(refused(moe), testing::HasSubstr("(mixture of experts)"));
    EXPECT_THAT(refused(GgufWriter{}), testing::HasSubstr("'general.architecture'"));
}

TEST(ModelFromGguf, missing_and_misshapen_tensors_are_named) {
    GgufWriter none;
    test::write_metadata(none, {});
    EXPECT_EQ(refused(none), "x.gguf: missing tensor 'token_embd.weight'");
    GgufWriter layers;
    test::write_metadata(layers, {.layers = 3});
    test::write_tensors(layers, {.layers = 2});
    EXPECT_EQ(refused(layers), "x.gguf: missing tensor 'blk.2.attn_q.weight'");
    GgufWriter extra = test::gguf_model({});
    extra.f16("blk.2.attn_q.weight", {64, 64});
    EXPECT_EQ(refused(extra),
              "x.gguf: tensor 'blk.2.attn_q.weight' belongs to no layer of a model with 2");
    GgufWriter narrow;
    test::write_metadata(narrow, {});
    test::write_tensors(narrow, {.ffn = 95});
    EXPECT_EQ(refused(narrow),
              "x.gguf: tensor 'blk.0.ffn_gate.weight' has shape 64 x 95, expected 64 x 96");
    GgufWriter bias;
    test::write_metadata(bias, {.architecture = "qwen2"});
    test::write_tensors(bias, {});
    EXPECT_EQ(refused(bias), "x.gguf: missing tensor 'blk.0.attn_q.bias'");
}

TEST(ModelFromGguf, missing_and_wild_metadata_is_named) {
    const auto message = [](const std::string& key, std::int64_t value) {
        GgufWriter w;
        w.text("general.architecture", "llama");
        if (key != "block_count") w.u32("llama.block_count", 2);
        w.number("llama." + key, 11, value);
        return refused(w);
    };
    EXPECT_EQ(message("block_count", 0),
              "x.gguf: llama.block_count 0 is out of range; allowed: 1 to 1024");
    EXPECT_EQ(message("embedding_length", -1),
              "x.gguf: llama.embedding_length -1 is out of range; allowed: 1 to 131072");
    EXPECT_EQ(message("context_length", 1),
              "x.gguf: missing metadata key 'llama.embedding_length'");
    GgufWriter text;
    text.text("general.architecture", "llama");
    text.text("llama.block_count", "2");
    EXPECT_EQ(refused(text), "x.gguf: metadata key 'llama.block_count' is not an integer");
}

}  // namespace
}  // namespace memside
