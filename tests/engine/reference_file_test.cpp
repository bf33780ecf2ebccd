// Files as make-model writes them, beside f64 arithmetic on their weights. That llama.cpp decodes
// the same files to the same logits is what tests/peers shows.
#include "base/temp_folder.h"
#include "engine/agreement.h"
#include "engine/decoder.h"
#include "engine/make_model.h"
#include "engine/reference_model.h"
#include "model/catalog.h"

namespace memside::engine {
namespace {

// The largest relative error of a prefix and six steps after it.
double worst_error(const std::string& path, bool f16_cache) {
    auto reference = test::reference_of_file(path);
    const auto model = open_model(path);
    if (!reference.ok() || !model.ok()) return INFINITY;
    reference->f16_cache = f16_cache;
    std::vector<TokenId> tokens;
    // Long enough for windows of 64 tokens to slide.
    for (int i = 0; i < 100; ++i) tokens.push_back((i * i * 7 + i * 3 + 1) % 300);
    DecoderOptions options;
    options.capacity_tokens = static_cast<std::int64_t>(tokens.size());
    const auto decoder = std::move(Decoder::make(*model, options)).value();
    const std::size_t prefix = tokens.size() - 6;
    const auto want = test::reference_logits(*reference, tokens, prefix - 1);
    double worst =
        test::compare(decoder->feed(std::span(tokens).first(prefix)).value(), want[0]).error;
    for (std::size_t i = prefix; i < tokens.size(); ++i) {
        const auto got = decoder->feed(std::span(tokens).subspan(i, 1)).value();
        worst = std::max(worst, test::compare(got, want[i - prefix + 1]).error);
    }
    return worst;
}

TEST(ReferenceFile, made_models_of_every_architecture_decode_as_f64_arithmetic_does) {
    const TempFolder folder;
    for (const char* name : {"llama", "qwen2", "qwen3", "gemma3"}) {
        const auto spec =
            load_model(fmt::format("{}/tests/engine/shapes/{}.json", MEMSIDE_SOURCE_DIR, name));
        ASSERT_TRUE(spec.ok()) << spec.error().message();
        const auto config = load_decoding_config(*spec);
        ASSERT_TRUE(config.ok()) << config.error().message();
        const auto make = [&](const char* type) {
            const std::string path = folder.path(fmt::format("{}-{}.gguf", name, type));
            const RandomModel model{*spec, *config, weight_format(type), 1};
            EXPECT_TRUE(make_model(model, path, 0, [](std::uint64_t, std::uint64_t) {}).ok());
            return path;
        };
        for (const char* type : {"f32", "q8_0", "q4_0"}) {
            const std::string path = make(type);
            EXPECT_LT(worst_error(path, true), 5e-4) << name << " " << type;
            EXPECT_LT(worst_error(path, false), 5e-3) << name << " " << type;
        }
    }
}

}  // namespace
}  // namespace memside::engine
