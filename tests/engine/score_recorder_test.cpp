#include "engine/score_recorder.h"

#include <cmath>
#include <filesystem>

#include "base/temp_folder.h"
#include "engine/decoder.h"
#include "engine/random_model.h"
#include "kv/scores_recorded.h"

namespace memside::engine {
namespace {

constexpr std::int64_t page_tokens = 16;
constexpr std::size_t prompt = 100;
constexpr std::size_t total = 125;

// Keeps the queries of the steps that it hands on.
struct Eavesdropper : DecoderObserver {
    explicit Eavesdropper(DecoderObserver& next) : next_(next) {}

    Status seen(const AttentionCall& call, bool decode_step) override {
        if (decode_step) {
            queries[call.layer].emplace_back(call.queries, call.queries + values);
            scale = call.scale;
        }
        return next_.seen(call, decode_step);
    }

    DecoderObserver& next_;
    std::size_t values = 0;
    float scale = 0.0F;
    std::map<int, std::vector<std::vector<float>>> queries;  // by layer, [steps][values]
};

class ScoreRecorderTest : public testing::Test {
  protected:
    void SetUp() override {
        test::RandomModel model;
        model.shape.vocab = 64;
        model.shape.layers = 3;
        test::build(model);
        auto opened = open_model(folder_.write("model.gguf", model.file));
        ASSERT_TRUE(opened.ok()) << opened.error().message();
        model_ = std::make_unique<ModelFile>(std::move(opened).value());
        path_ = folder_.path("x.scores");
    }

    std::unique_ptr<Decoder> make_decoder() {
        DecoderOptions options;
        options.capacity_tokens = total;
        options.page_tokens = page_tokens;
        options.threads = 2;
        return std::move(Decoder::make(*model_, options)).value();
    }

    std::unique_ptr<ScoreRecorder> make_recorder(Decoder& decoder, kv::SelectPer per,
                                                 kv::GroupScore how) {
        ScoreRecording recording{path_, "random", prompt + 1, per, how, {false, true, true}};
        auto made = ScoreRecorder::make(decoder.store(), decoder.pool(), model_->config.spec.heads,
                                        recording, {}, nullptr);
        EXPECT_TRUE(made.ok()) << made.error().message();
        return std::move(made).value();
    }

    static void feed(Decoder& decoder) {
        std::vector<TokenId> tokens;
        for (std::size_t i = 0; i < total; ++i) {
            tokens.push_back(static_cast<TokenId>((i * i * 7 + i * 3 + 1) % 64));
        }
        const std::span<const TokenId> all(tokens);
        ASSERT_TRUE(decoder.feed(all.first(prompt)).ok());
        for (std::size_t t = prompt; t < total; ++t) {
            ASSERT_TRUE(decoder.feed(all.subspan(t, 1)).ok());
        }
    }

    // From every key, f64: the score of a page for a query, and its size, for the tolerance.
    static std::pair<double, double> page_score(const Decoder& decoder, int layer, int kv_head,
                                                std::int64_t page, std::int64_t tokens,
                                                const float* query) {
        const int dim = decoder.store().shape().head_dim;
        std::vector<float> keys(static_cast<std::size_t>(tokens * dim));
        decoder.store().read_keys(layer, page, kv_head, 0, tokens, keys.data());
        double score = 0.0;
        double size = 0.0;
        for (int d = 0; d < dim; ++d) {
            double low = HUGE_VAL;
            double high = -HUGE_VAL;
            for (std::int64_t t = 0; t < tokens; ++t) {
                const double key{keys[static_cast<std::size_t>(t * dim + d)]};
                low = std::min(low, key);
                high = std::max(high, key);
            }
            const double q{query[d]};
            score += std::max(q * low, q * high);
            size += std::abs(q) * std::max(std::abs(low), std::abs(high));
        }
        return {score, size};
    }

    TempFolder folder_;
    std::unique_ptr<ModelFile> model_;
    std::string path_;
};

TEST_F(ScoreRecorderTest, scores_are_those_of_boxes_around_every_key) {
    const auto decoder = make_decoder();
    const ModelSpec& spec = model_->config.spec;
    const int group = spec.heads / spec.kv_heads;
    for (const kv::SelectPer per :
         {kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head}) {
        for (const kv::GroupScore how : {kv::GroupScore::mean, kv::GroupScore::max}) {
            decoder->truncate(0);
            const auto recorder = make_recorder(*decoder, per, how);
            Eavesdropper ear(*recorder);
            ear.values = static_cast<std::size_t>(spec.heads * spec.head_dim);
            decoder->observe(&ear);
            feed(*decoder);
            ASSERT_TRUE(recorder->finish().ok());

            const auto recorded = kv::read_scores(path_);
            ASSERT_TRUE(recorded.ok()) << recorded.error().message();
            const kv::ScoreExtent extent = (*recorded)->extent();
            const std::int64_t sets = kv::group_count(per, spec.heads, spec.kv_heads);
            EXPECT_EQ(extent.steps, std::int64_t{total - prompt});
            EXPECT_EQ(extent.layers, 2 * sets);
            EXPECT_EQ(extent.context_tokens, std::int64_t{prompt + 1});
            const std::int64_t heads_of_set = spec.heads / sets;
            for (std::int64_t stream = 0; stream < extent.layers; ++stream) {
                const int layer = 1 + static_cast<int>(stream % 2);
                const std::int64_t first_head = stream / 2 * heads_of_set;
                auto scores = (*recorded)->open(0, stream);
                for (std::size_t step = 0; step < total - prompt; ++step) {
                    const auto found = scores->next();
                    const auto context = static_cast<std::int64_t>(prompt + step + 1);
                    ASSERT_EQ(std::ssize(found), (context + page_tokens - 1) / page_tokens);
                    for (std::int64_t page = 0; page < std::ssize(found); ++page) {
                        // Full pages: what the last one held at the step is gone.
                        if ((page + 1) * page_tokens > context) continue;
                        double expected = how == kv::GroupScore::max ? -HUGE_VAL : 0.0;
                        double size = 0.0;
                        for (std::int64_t h = first_head; h < first_head + heads_of_set; ++h) {
                            const auto [score, own] = page_score(
                                *decoder, layer, static_cast<int>(h) / group, page, page_tokens,
                                ear.queries.at(layer)[step].data() + h * spec.head_dim);
                            size = std::max(size, own);
                            expected = how == kv::GroupScore::max
                                           ? std::max(expected, score)
                                           : expected + score / static_cast<double>(heads_of_set);
                        }
                        // f16 corners, rounded outward.
                        const double scale{ear.scale};
                        EXPECT_NEAR(double{found[static_cast<std::size_t>(page)]}, scale * expected,
                                    1e-3 * scale * size + 1e-6);
                    }
                }
            }
        }
    }
}

TEST_F(ScoreRecorderTest, a_run_without_decode_steps_leaves_no_file) {
    const auto decoder = make_decoder();
    {
        const auto recorder = make_recorder(*decoder, kv::SelectPer::kv_head, kv::GroupScore::mean);
        decoder->observe(recorder.get());
        const std::vector<TokenId> tokens(20, 3);
        ASSERT_TRUE(decoder->feed(tokens).ok());
        const Status finished = recorder->finish();
        ASSERT_FALSE(finished.ok());
        EXPECT_NE(finished.error().message().find("no decode step"), std::string::npos);
    }
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path(""))) {
        EXPECT_EQ(entry.path().filename(), "model.gguf");
    }
}

TEST_F(ScoreRecorderTest, a_recorder_that_goes_away_before_its_end_leaves_no_file) {
    const auto decoder = make_decoder();
    {
        const auto recorder = make_recorder(*decoder, kv::SelectPer::kv_head, kv::GroupScore::mean);
        decoder->observe(recorder.get());
        feed(*decoder);
    }
    EXPECT_FALSE(std::filesystem::exists(path_));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path("")), {}), 1);
}

}  // namespace
}  // namespace memside::engine
