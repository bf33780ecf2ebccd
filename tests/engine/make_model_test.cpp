#include "engine/make_model.h"

#include <cmath>
#include <cstring>
#include <numbers>

#include "base/temp_folder.h"
#include "engine/byte_level_vocabulary.h"
#include "engine/random_tensors.h"
#include "engine/tokenizer.h"
#include "model/catalog.h"
#include "model/gguf_header.h"

namespace memside::engine {
namespace {

RandomModel tiny(const std::string& name, std::string_view format, std::uint64_t seed = 1) {
    const auto spec =
        load_model(fmt::format("{}/tests/engine/shapes/{}.json", MEMSIDE_SOURCE_DIR, name));
    EXPECT_TRUE(spec.ok()) << spec.error().message();
    const auto config = load_decoding_config(*spec);
    EXPECT_TRUE(config.ok()) << config.error().message();
    return {*spec, *config, weight_format(format), seed};
}

Status make(const RandomModel& model, const std::string& path, unsigned threads = 0) {
    return make_model(model, path, threads, [](std::uint64_t, std::uint64_t) {});
}

TEST(MakeModel, a_file_of_every_shape_and_type_is_the_model_that_was_asked_for) {
    const TempFolder folder;
    for (const char* name : {"llama", "qwen2", "qwen3", "gemma3"}) {
        for (const WeightFormat& format : weight_formats()) {
            SCOPED_TRACE(fmt::format("{} {}", name, format.name));
            const RandomModel model = tiny(name, format.name);
            const std::string path = folder.path("x.gguf");
            const Status made = make(model, path);
            ASSERT_TRUE(made.ok()) << made.error().message();
            const auto read = load_model(path);
            ASSERT_TRUE(read.ok()) << read.error().message();
            EXPECT_EQ(read->architecture, model.spec.architecture);
            EXPECT_EQ(read->layers, model.spec.layers);
            EXPECT_EQ(read->head_dim, model.spec.head_dim);
            EXPECT_EQ(read->kv_heads, model.spec.kv_heads);
            EXPECT_EQ(read->vocab, model.spec.vocab);
            EXPECT_EQ(read->sliding, model.spec.sliding);
            EXPECT_EQ(read->sliding_window_tokens, model.spec.sliding_window_tokens);
            EXPECT_EQ(read->tied_embeddings, model.spec.tied_embeddings);
            const std::int64_t divisors =
                name == std::string("llama") ? model.spec.head_dim / 2 : 0;
            EXPECT_EQ(read->weights.parameters(), model.spec.weights.parameters() + divisors);
        }
    }
}

TEST(MakeModel, the_bytes_depend_on_the_seed_and_not_on_the_threads) {
    const TempFolder folder;
    ASSERT_TRUE(make(tiny("llama", "q8_0"), folder.path("one"), 1).ok());
    ASSERT_TRUE(make(tiny("llama", "q8_0"), folder.path("three"), 3).ok());
    ASSERT_TRUE(make(tiny("llama", "q8_0", 2), folder.path("other"), 1).ok());
    EXPECT_EQ(folder.read("one"), folder.read("three"));
    EXPECT_NE(folder.read("one"), folder.read("other"));
}

TEST(MakeModel, matrices_keep_the_size_of_activations_and_norms_are_near_one) {
    const TempFolder folder;
    const RandomModel model = tiny("qwen2", "f32");
    ASSERT_TRUE(make(model, folder.path("x.gguf")).ok());
    const auto header = read_gguf_header(folder.path("x.gguf"));
    ASSERT_TRUE(header.ok());
    const std::string file = folder.read("x.gguf");
    for (const GgufTensor& tensor : header->tensors) {
        double sum = 0.0;
        double squares = 0.0;
        for (std::int64_t i = 0; i < tensor.elements; ++i) {
            float value = 0.0F;
            std::memcpy(&value,
                        file.data() + header->data_start + tensor.offset +
                            static_cast<std::size_t>(i) * sizeof value,
                        sizeof value);
            sum += value;
            squares += double{value} * value;
        }
        const auto count = static_cast<double>(tensor.elements);
        const double mean = sum / count;
        const double deviation = std::sqrt(squares / count - mean * mean);
        const bool matrix = tensor.dims.size() == 2;
        const bool norm = tensor.name.find("norm") != std::string::npos;
        const double expected =
            matrix ? 1.0 / std::sqrt(static_cast<double>(tensor.dims[0])) : (norm ? 0.1 : 0.5);
        // Five standard errors of a sample of that size.
        EXPECT_NEAR(mean, norm ? 1.0 : 0.0, 5.0 * expected / std::sqrt(count)) << tensor.name;
        EXPECT_NEAR(deviation, expected, 5.0 * expected / std::sqrt(2.0 * count)) << tensor.name;
    }
}

TEST(MakeModel, the_vocabulary_reads_any_text_and_ends_turns) {
    const TempFolder folder;
    ASSERT_TRUE(make(tiny("qwen3", "q4_0"), folder.path("x.gguf")).ok());
    const auto header = read_gguf_header(folder.path("x.gguf"));
    ASSERT_TRUE(header.ok());
    const auto tokenizer = Tokenizer::make(*header, "x.gguf");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message();
    EXPECT_EQ((*tokenizer)->vocab_size(), 1000);
    const std::string text = "in the beginning\xFF <|im_end|> é";
    EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text, false)), text);
    EXPECT_LT((*tokenizer)->encode("the beginning", false).size(), 13U) << "words merge";
    EXPECT_THAT((*tokenizer)->encode("<|im_end|>", true), testing::ElementsAre(999));
    EXPECT_TRUE((*tokenizer)->is_end(999));
}

// The rule as it is published with Llama 3.1: three ranges of wavelengths.
TEST(MakeModel, rope_divisors_are_those_of_the_published_rule) {
    const StatedRopeScaling scaling{StatedRopeScaling::Kind::llama3, 8.0, 1.0, 4.0, 8192.0};
    const std::vector<float> divisors = llama3_rope_divisors(scaling, 500000.0, 128);
    ASSERT_EQ(divisors.size(), 64U);
    int between = 0;
    for (std::size_t i = 0; i < 64; ++i) {
        const double frequency = std::pow(500000.0, -static_cast<double>(i) / 64.0);
        const double wavelength = 2.0 * std::numbers::pi / frequency;
        double scaled = frequency;
        if (wavelength > 8192.0 / 1.0) {
            scaled = frequency / 8.0;
        } else if (wavelength >= 8192.0 / 4.0) {
            const double smooth = (8192.0 / wavelength - 1.0) / (4.0 - 1.0);
            scaled = (1.0 - smooth) * frequency / 8.0 + smooth * frequency;
            ++between;
        }
        EXPECT_NEAR(divisors[i], frequency / scaled, 1e-5 * frequency / scaled) << i;
    }
    EXPECT_GT(between, 3);
}

TEST(MakeModel, what_cannot_be_written_is_named) {
    const TempFolder folder;
    RandomModel model = tiny("llama", "f16");
    model.spec.vocab = smallest_byte_level_vocabulary - 1;
    EXPECT_THAT(make(model, folder.path("x")).error().message(),
                testing::HasSubstr("too small for the bytes; allowed: 260 and more"));
    model = tiny("llama", "f16");
    model.spec.weights.qkv.parameters += model.spec.hidden;
    EXPECT_THAT(make(model, folder.path("x")).error().message(), testing::HasSubstr("biases"));
    model = tiny("gemma3", "f16");
    model.spec.sliding[0] = false;
    EXPECT_THAT(make(model, folder.path("x")).error().message(), testing::HasSubstr("no period"));
    EXPECT_EQ(make(tiny("llama", "f16"), "/dev/full").error().kind, Error::Kind::environment);
}

std::string refusal_of(const std::string& change) {
    const TempFolder folder;
    const std::string path = folder.write(
        "x.json", R"({"model_type": "llama", "hidden_size": 64, "intermediate_size": 64,
        "max_position_embeddings": 64, "num_attention_heads": 1, "num_hidden_layers": 1,
        "torch_dtype": "float32", "vocab_size": 300, )" +
                      change + "}");
    const auto spec = load_model(path);
    EXPECT_TRUE(spec.ok()) << spec.error().message();
    const auto config = load_decoding_config(*spec);
    return config.ok() ? "" : config.error().message();
}

TEST(DecodingConfig, reads_presets_and_names_what_it_does_not_support) {
    const auto spec = load_model("llama-3.2-1b");
    ASSERT_TRUE(spec.ok()) << spec.error().message();
    const auto config = load_decoding_config(*spec);
    ASSERT_TRUE(config.ok()) << config.error().message();
    EXPECT_EQ(config->rope_base, 500000.0);
    EXPECT_EQ(config->norm_epsilon, 1e-5);
    ASSERT_TRUE(config->rope_scaling.has_value());
    EXPECT_EQ(config->rope_scaling->kind, StatedRopeScaling::Kind::llama3);
    EXPECT_EQ(config->rope_scaling->factor, 32.0);

    EXPECT_EQ(refusal_of(R"("rope_theta": 1e4)"), "");
    EXPECT_THAT(refusal_of(R"("rope_theta": "x")"), testing::HasSubstr(":3: rope_theta is not"));
    EXPECT_THAT(refusal_of(R"("rms_norm_eps": -1)"), testing::HasSubstr("rms_norm_eps"));
    EXPECT_THAT(refusal_of(R"("rope_scaling": {"type": "dynamic"})"),
                testing::HasSubstr("'dynamic' is not supported; supported: default, linear"));
    EXPECT_THAT(refusal_of(R"("rope_parameters": {})"), testing::HasSubstr("rope_parameters"));
}

}  // namespace
}  // namespace memside::engine
