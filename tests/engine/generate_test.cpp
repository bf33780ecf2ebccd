#include "engine/generate.h"

#include "base/temp_folder.h"
#include "engine/random_model.h"
#include "engine/toy_vocabulary.h"

namespace memside::engine {
namespace {

// A random model over the 256 bytes: whatever it says, it says again.
class GenerateTest : public testing::Test {
  protected:
    void SetUp() override {
        test::RandomModel random;
        random.shape.vocab = 264;  // eight rows that no token belongs to
        build(random);
        auto opened = open_model(folder_.write("model.gguf", random.file));
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        model_ = std::make_unique<ModelFile>(std::move(opened).value());
        auto made = memside::test::byte_level("gpt-2", {}).make();
        ASSERT_TRUE(made.ok()) << made.error().message();
        tokenizer_ = std::move(made).value();
    }

    Generation run(const GenerateOptions& options) {
        shown_.clear();
        DecoderOptions decoder_options;
        decoder_options.capacity_tokens = 100;
        auto decoder = Decoder::make(*model_, decoder_options);
        EXPECT_TRUE(decoder.ok());
        const auto prompt = tokenizer_->encode("Once", true);
        return generate(**decoder, *tokenizer_, prompt, options,
                        [&](std::string_view text) {
                            shown_ += text;
                            return shown_.size() < most_shown_;
                        })
            .value();
    }

    TempFolder folder_;
    std::unique_ptr<ModelFile> model_;
    std::unique_ptr<Tokenizer> tokenizer_;
    std::string shown_;
    std::size_t most_shown_ = 1000;
};

TEST_F(GenerateTest, greedy_tokens_are_those_with_the_largest_logits_after_all_before_them) {
    GenerateOptions options;
    options.max_tokens = 12;
    const Generation generation = run(options);
    ASSERT_EQ(generation.tokens.size(), 12U);
    EXPECT_EQ(generation.decode_steps, 11);
    EXPECT_EQ(generation.text, tokenizer_->decode(generation.tokens));
    EXPECT_EQ(shown_, generation.text);

    // The same by feeding the whole sequence as one block, for every length.
    std::vector<TokenId> sequence = tokenizer_->encode("Once", true);
    for (const TokenId token : generation.tokens) {
        DecoderOptions decoder_options;
        decoder_options.capacity_tokens = 100;
        auto decoder = Decoder::make(*model_, decoder_options);
        ASSERT_TRUE(decoder.ok());
        const auto logits = (*decoder)->feed(sequence).value();
        EXPECT_EQ(largest_logit(logits.first(256)), token);
        sequence.push_back(token);
    }
}

TEST_F(GenerateTest, text_ends_before_a_stop_string_and_where_the_reader_has_enough) {
    GenerateOptions options;
    options.max_tokens = 40;
    options.sampler.temperature = 1.0;
    const std::string whole = run(options).text;
    ASSERT_GE(whole.size(), 20U);
    options.stops = {whole.substr(9, 2)};
    EXPECT_EQ(run(options).text, whole.substr(0, whole.find(options.stops[0])));
    options.stops.clear();
    most_shown_ = 5;
    const Generation cut = run(options);
    EXPECT_LT(cut.tokens.size(), 40U);
    EXPECT_TRUE(whole.starts_with(cut.text));
}

}  // namespace
}  // namespace memside::engine
