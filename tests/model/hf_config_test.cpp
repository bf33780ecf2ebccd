#include "model/hf_config.h"

#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

namespace memside {
namespace {

using nlohmann::json;

json llama() {
    return {{"model_type", "llama"},    {"hidden_size", 64},
            {"intermediate_size", 128}, {"num_hidden_layers", 4},
            {"num_attention_heads", 8}, {"num_key_value_heads", 2},
            {"vocab_size", 100},        {"max_position_embeddings", 2048},
            {"torch_dtype", "bfloat16"}};
}

json typed(const std::string& model_type) {
    json config = llama();
    config["model_type"] = model_type;
    return config;
}

json with(json config, const std::string& key, json value) {
    config[key] = std::move(value);
    return config;
}

json without(json config, const std::string& key) {
    config.erase(key);
    return config;
}

ModelSpec accepted(const json& config) {
    const auto spec = parse_hf_config(config.dump(), "config.json", "m");
    EXPECT_TRUE(spec.ok()) << spec.error().message();
    return spec.ok() ? *spec : ModelSpec{};
}

std::string refused(const json& config) {
    const auto spec = parse_hf_config(config.dump(2), "config.json", "m");
    EXPECT_FALSE(spec.ok()) << config.dump(2);
    if (spec.ok()) return "";
    EXPECT_EQ(spec.error().exit_status(), 2);
    EXPECT_EQ(spec.error().message().find('\n'), std::string::npos);
    return spec.error().message();
}

TEST(HfConfig, a_llama_is_read_as_it_stands) {
    const ModelSpec spec = accepted(llama());
    EXPECT_EQ(spec.name, "m");
    EXPECT_EQ(spec.source, "config.json");
    EXPECT_EQ(spec.architecture, Architecture::llama);
    EXPECT_EQ(spec.layers, 4);
    EXPECT_EQ(spec.heads, 8);
    EXPECT_EQ(spec.kv_heads, 2);
    EXPECT_EQ(spec.head_dim, 8);
    EXPECT_EQ(spec.ffn, 128);
    EXPECT_EQ(spec.vocab, 100);
    EXPECT_EQ(spec.window_tokens, 2048);
    EXPECT_FALSE(spec.tied_embeddings);
    EXPECT_TRUE(spec.sliding.empty());
    EXPECT_EQ(spec.weight_type, "bf16");
}

TEST(HfConfig, defaults_are_those_of_the_configuration_class) {
    EXPECT_EQ(accepted(without(llama(), "num_key_value_heads")).kv_heads, 8);
    EXPECT_EQ(accepted(with(llama(), "num_key_value_heads", nullptr)).kv_heads, 8);
    EXPECT_EQ(accepted(with(llama(), "head_dim", 32)).head_dim, 32);
    EXPECT_EQ(accepted(typed("qwen3")).head_dim, 128);
    EXPECT_EQ(accepted(with(typed("gemma3_text"), "sliding_window", 512)).head_dim, 256);
}

TEST(HfConfig, weight_types_give_the_bytes_per_weight) {
    const auto bytes = [](const char* key, const char* type) {
        json config = with(without(llama(), "torch_dtype"), key, type);
        const ModelSpec spec = accepted(config);
        return std::pair(spec.weight_type, spec.weights.bytes() / spec.weights.parameters());
    };
    EXPECT_EQ(bytes("torch_dtype", "float16"), std::pair(std::string("f16"), std::int64_t{2}));
    EXPECT_EQ(bytes("dtype", "float32"), std::pair(std::string("f32"), std::int64_t{4}));
    EXPECT_EQ(bytes("dtype", "bfloat16"), std::pair(std::string("bf16"), std::int64_t{2}));
    EXPECT_THAT(refused(with(llama(), "torch_dtype", "float8_e4m3fn")),
                testing::EndsWith("weight type 'float8_e4m3fn' is not supported; allowed: "
                                  "bfloat16, float16, float32"));
    EXPECT_EQ(refused(without(llama(), "torch_dtype")), "config.json: missing key 'torch_dtype'");
}

TEST(HfConfig, biases_follow_the_configuration_and_the_architecture) {
    const std::int64_t plain = accepted(llama()).weights.parameters();
    // 4 layers; q, k and v have 64 + 16 + 16 outputs, o 64, the feed-forward 2 x 128 + 64.
    EXPECT_EQ(accepted(with(llama(), "attention_bias", true)).weights.parameters(),
              plain + 4 * (96 + 64));
    EXPECT_EQ(accepted(with(llama(), "mlp_bias", true)).weights.parameters(), plain + 4 * 320);
    EXPECT_EQ(accepted(typed("qwen2")).weights.parameters(), plain + 4 * 96);
}

TEST(HfConfig, gemma_slides_by_list_or_by_period) {
    json gemma = with(typed("gemma3_text"), "sliding_window", 512);
    gemma["num_hidden_layers"] = 7;
    EXPECT_EQ(accepted(gemma).sliding,
              (std::vector<bool>{true, true, true, true, true, false, true}));
    EXPECT_EQ(accepted(gemma).sliding_window_tokens, 512);
    EXPECT_TRUE(accepted(gemma).tied_embeddings);
    for (const char* key : {"sliding_window_pattern", "_sliding_window_pattern"}) {
        EXPECT_EQ(accepted(with(gemma, key, 2)).full_layers(), 3);
        const ModelSpec none = accepted(with(gemma, key, 1));
        EXPECT_TRUE(none.sliding.empty());
        EXPECT_EQ(none.sliding_window_tokens, 0);
    }
    gemma["num_hidden_layers"] = 2;
    const json list{"full_attention", "sliding_attention"};
    EXPECT_EQ(accepted(with(gemma, "layer_types", list)).sliding, (std::vector<bool>{false, true}));
    EXPECT_THAT(refused(with(gemma, "layer_types", {"full_attention"})),
                testing::HasSubstr("layer_types has 1 entries for 2 layers"));
    EXPECT_THAT(refused(with(gemma, "layer_types", {"full_attention", "linear_attention"})),
                testing::HasSubstr("layer type 'linear_attention' is not supported"));
    EXPECT_THAT(refused(without(gemma, "sliding_window")), testing::HasSubstr("'sliding_window'"));
}

TEST(HfConfig, a_nested_text_config_takes_the_class_defaults) {
    const json gemma{{"model_type", "gemma3"},
                     {"dtype", "bfloat16"},
                     {"text_config", {{"model_type", "gemma3_text"}}}};
    const ModelSpec spec = accepted(gemma);
    EXPECT_EQ(spec.vocab, 262208);
    EXPECT_EQ(spec.hidden, 2304);
    EXPECT_EQ(spec.ffn, 9216);
    EXPECT_EQ(spec.layers, 26);
    EXPECT_EQ(spec.heads, 8);
    EXPECT_EQ(spec.kv_heads, 4);
    EXPECT_EQ(spec.head_dim, 256);
    EXPECT_EQ(spec.window_tokens, 131072);
    EXPECT_EQ(spec.sliding_window_tokens, 4096);
    EXPECT_EQ(spec.full_layers(), 4);
    EXPECT_TRUE(spec.tied_embeddings);
    EXPECT_FALSE(accepted(with(gemma, "tie_word_embeddings", false)).tied_embeddings);

    EXPECT_EQ(refused(without(gemma, "text_config")), "config.json: missing key 'text_config'");
    EXPECT_THAT(refused(with(gemma, "text_config", 3)),
                testing::HasSubstr("text_config is an integer; allowed: an object"));
    EXPECT_THAT(refused(with(gemma, "text_config", {{"hiden_size", 5}})),
                testing::HasSubstr("unknown key 'hiden_size'; did you mean 'hidden_size'?"));
    EXPECT_THAT(refused(with(gemma, "text_config", {{"model_type", "gemma3n_text"}})),
                testing::HasSubstr("'gemma3n_text' of text_config is not supported"));
}

TEST(HfConfig, qwen_slides_only_when_switched_on) {
    json qwen = with(typed("qwen2"), "sliding_window", 256);
    qwen["max_window_layers"] = 3;
    EXPECT_TRUE(accepted(qwen).sliding.empty());
    qwen["use_sliding_window"] = false;
    qwen["layer_types"] = json::array({"sliding_attention"});
    EXPECT_TRUE(accepted(qwen).sliding.empty());
    qwen.erase("layer_types");
    qwen["use_sliding_window"] = true;
    EXPECT_EQ(accepted(qwen).sliding, (std::vector<bool>{false, false, false, true}));
    EXPECT_EQ(accepted(qwen).sliding_window_tokens, 256);
    qwen["max_window_layers"] = 0;
    EXPECT_EQ(accepted(qwen).sliding_layers(), 4);
    qwen["max_window_layers"] = 4;
    EXPECT_TRUE(accepted(qwen).sliding.empty());
    qwen["max_window_layers"] = -1;
    EXPECT_THAT(refused(qwen), testing::HasSubstr("max_window_layers '-1' is out of range"));
}

TEST(HfConfig, what_is_not_modelled_is_refused_by_name) {
    for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts"}) {
        EXPECT_THAT(refused(with(llama(), key, 8)),
                    testing::HasSubstr(std::string("mixture-of-experts models (") + key + ")"));
        accepted(with(llama(), key, 0));
        accepted(with(llama(), key, nullptr));
    }
    EXPECT_THAT(refused(with(llama(), "kv_lora_rank", 512)),
                testing::HasSubstr("multi-head latent attention"));
    EXPECT_THAT(refused(with(llama(), "quantization_config", {{"bits", 4}})),
                testing::HasSubstr("quantization_config"));
    for (const char* type : {"mixtral", "qwen2_moe", "qwen3_moe"}) {
        EXPECT_THAT(refused(typed(type)), testing::HasSubstr("is a mixture of experts"));
    }
    EXPECT_THAT(refused(typed("deepseek_v3")), testing::HasSubstr("multi-head latent attention"));
    EXPECT_EQ(refused(typed("phi3")),
              "config.json:5: model_type 'phi3' is not supported; supported: llama, qwen2, qwen3, "
              "gemma3, gemma3_text");
    EXPECT_THAT(
        refused(with(llama(), "layer_types",
                     {"full_attention", "sliding_attention", "full_attention", "full_attention"})),
        testing::HasSubstr("sliding layers are not supported for model_type 'llama'"));
}

TEST(HfConfig, messages_give_the_line_of_the_key) {
    const std::string text = R"({
  "model_type": "llama",
  "hidden_size": -64
})";
    const auto spec = parse_hf_config(text, "a/config.json", "m");
    EXPECT_EQ(spec.error().message(), "a/config.json: missing key 'num_hidden_layers'");
    json config = llama();
    config["hidden_size"] = -64;  // keys are sorted when written: the first line is the brace
    EXPECT_EQ(refused(config),
              "config.json:2: hidden_size '-64' is out of range; allowed: 1 to 131072");
}

TEST(HfConfig, a_misspelt_required_key_is_pointed_at) {
    json config = without(llama(), "vocab_size");
    config["vocabsize"] = 100;
    EXPECT_EQ(refused(config),
              "config.json:10: unknown key 'vocabsize'; did you mean 'vocab_size'?");
}

TEST(HfConfig, a_misspelt_optional_key_is_not_taken_for_its_absence) {
    EXPECT_THAT(refused(with(llama(), "tie_word_embedding", true)),
                testing::HasSubstr("unknown key 'tie_word_embedding'; did you mean "
                                   "'tie_word_embeddings'?"));
    EXPECT_THAT(refused(with(llama(), "head_dims", 32)),
                testing::HasSubstr("unknown key 'head_dims'; did you mean 'head_dim'?"));
    accepted(with(llama(), "rope_theta", 10000.0));
}

TEST(HfConfig, integers_must_be_integers) {
    for (const char* key :
         {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
          "num_key_value_heads", "vocab_size", "max_position_embeddings", "head_dim"}) {
        const json bad_values[]{
            "64", 64.0, true, json::array({64}), json::array({json::array()}), json::object()};
        for (const json& value : bad_values) {
            EXPECT_THAT(refused(with(llama(), key, value)),
                        testing::HasSubstr("; allowed: an integer from 1 to "))
                << key;
        }
        for (const json& value : {json(0), json(-5), json(INT64_MAX), json(UINT64_MAX)}) {
            EXPECT_THAT(refused(with(llama(), key, value)),
                        testing::HasSubstr("out of range; allowed: 1 to "))
                << key;
        }
    }
}

TEST(HfConfig, an_integer_of_twenty_digits_is_out_of_range) {
    std::string text = llama().dump();
    text.replace(text.find("100"), 3, "99999999999999999999");
    const auto spec = parse_hf_config(text, "c", "m");
    EXPECT_EQ(spec.error().message(),
              "c:1: vocab_size '99999999999999999999' is out of range; allowed: 1 to 16777216");
}

TEST(HfConfig, head_shapes_are_checked) {
    EXPECT_THAT(refused(with(llama(), "num_key_value_heads", 3)),
                testing::HasSubstr("8 attention heads cannot share 3 key-value heads"));
    EXPECT_THAT(refused(with(llama(), "num_attention_heads", 6)),
                testing::HasSubstr("hidden size 64 is not a multiple of 6"));
    json wide = with(llama(), "num_attention_heads", 4096);
    wide["head_dim"] = 512;
    EXPECT_THAT(refused(wide), testing::HasSubstr("4096 heads x head_dim 512 = 2097152 is out of "
                                                  "range; allowed: up to 1048576"));
    wide["num_attention_heads"] = 512;
    wide["num_key_value_heads"] = 512;
    EXPECT_THAT(refused(wide), testing::HasSubstr("allowed: up to 131072"));
}

TEST(HfConfig, flags_must_be_booleans) {
    for (const char* key : {"attention_bias", "mlp_bias", "tie_word_embeddings"}) {
        EXPECT_THAT(refused(with(llama(), key, 1)),
                    testing::HasSubstr(std::string(key) + " is an integer '1'; allowed: true or"));
    }
}

TEST(HfConfig, what_is_no_object_is_refused) {
    for (const char* text : {"[]", "3", "null", "\"llama\""}) {
        const auto spec = parse_hf_config(text, "c", "m");
        ASSERT_FALSE(spec.ok());
        EXPECT_THAT(spec.error().message(), testing::HasSubstr("not a JSON object"));
    }
    EXPECT_EQ(parse_hf_config("{}", "c", "m").error().message(), "c: missing key 'model_type'");
    EXPECT_EQ(parse_hf_config("", "c", "m").error().message(),
              "c:1: the JSON text ends too early; is the file truncated?");
}

RC_GTEST_PROP(HfConfig, every_truncation_is_an_error, ()) {
    const std::string text = llama().dump(1);
    const auto length = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto spec = parse_hf_config(text.substr(0, length), "c", "m");
    RC_ASSERT(!spec.ok());
    RC_ASSERT(spec.error().message().find('\n') == std::string::npos);
}

RC_GTEST_PROP(HfConfig, a_replaced_byte_gives_a_sound_model_or_one_line, ()) {
    std::string text = with(typed("gemma3_text"), "sliding_window", 512).dump(1);
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = *rc::gen::arbitrary<char>();
    const auto spec = parse_hf_config(text, "c", "m");
    if (spec.ok()) {
        RC_ASSERT(spec->weights.bytes() > 0);
        RC_ASSERT(spec->heads % spec->kv_heads == 0);
    } else {
        RC_ASSERT(spec.error().message().find('\n') == std::string::npos);
    }
}

}  // namespace
}  // namespace memside
