// The forward pass on a real model beside f64 arithmetic on the same weights.
#include "real_model.h"

#include "engine/agreement.h"
#include "engine/decoder.h"
#include "engine/reference_model.h"
#include "engine/tokenizer.h"

namespace memside::engine {
namespace {

class RealModel : public testing::Test {
  protected:
    void SetUp() override {
        path_ = memside::test::gemma_file();
        if (path_.empty()) GTEST_SKIP() << memside::test::no_real_model;
        auto opened = open_model(path_);
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        model_ = std::make_unique<ModelFile>(std::move(*opened));
        tokenizer_ = std::move(Tokenizer::make(model_->header, path_)).value();
    }

    // A prompt as a block, then `steps` greedy tokens: the sequence and the logits after its end at
    // each step.
    void generate(const std::string& prompt, std::size_t steps) {
        sequence_ = tokenizer_->encode(prompt, false);
        tokenizer_->prepend_bos(sequence_);
        prompt_tokens_ = sequence_.size();
        DecoderOptions options;
        options.capacity_tokens = static_cast<std::int64_t>(prompt_tokens_ + steps);
        auto decoder = std::move(Decoder::make(*model_, options)).value();
        std::span<const float> logits = decoder->feed(sequence_).value();
        logits_.emplace_back(logits.begin(), logits.end());
        for (std::size_t step = 0; step < steps; ++step) {
            sequence_.push_back(static_cast<TokenId>(test::largest(logits)));
            logits = decoder->feed(std::span(sequence_).last(1)).value();
            logits_.emplace_back(logits.begin(), logits.end());
        }
    }

    std::string path_;
    std::unique_ptr<ModelFile> model_;
    std::unique_ptr<Tokenizer> tokenizer_;
    std::vector<TokenId> sequence_;
    std::size_t prompt_tokens_ = 0;
    std::vector<std::vector<float>> logits_;
};

TEST_F(RealModel, logits_are_those_of_f64_arithmetic_on_its_weights) {
    generate("The three largest cities of France are Paris,", 4);
    const auto reference = test::reference_of_file(path_);
    ASSERT_TRUE(reference.ok()) << reference.error().message();
    const auto exact = test::reference_logits(*reference, sequence_, prompt_tokens_ - 1);
    ASSERT_EQ(exact.size(), logits_.size());
    for (std::size_t i = 0; i < exact.size(); ++i) {
        const auto to_exact = test::compare(logits_[i], exact[i]);
        EXPECT_GT(to_exact.cosine, 0.999999) << i;
        EXPECT_LT(to_exact.error, 1e-3) << i;
        EXPECT_EQ(test::largest(logits_[i]), test::largest(exact[i])) << i;
    }
}

}  // namespace
}  // namespace memside::engine
