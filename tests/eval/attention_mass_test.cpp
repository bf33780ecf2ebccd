#include "eval/attention_mass.h"

#include <cmath>
#include <numeric>

#include "eval/small_model.h"

namespace memside::eval {
namespace {

constexpr std::int64_t context = 300;

// The softmax shares of pages in f64, from keys as stored.
std::vector<double> shares_of(const engine::KvStore& store, const engine::AttentionCall& call,
                              int head, int kv_head) {
    const engine::KvShape& shape = store.shape();
    const auto dim = static_cast<std::size_t>(shape.head_dim);
    std::vector<double> shares;
    double sum = 0.0;
    for (std::int64_t first = 0; first <= call.first_position; first += shape.page_tokens) {
        const std::int64_t count = std::min(shape.page_tokens, call.first_position + 1 - first);
        std::vector<float> keys(static_cast<std::size_t>(count) * dim);
        store.read_keys(call.layer, first / shape.page_tokens, kv_head, 0, count, keys.data());
        double page = 0.0;
        for (std::size_t t = 0; t < static_cast<std::size_t>(count); ++t) {
            double product = 0.0;
            for (std::size_t d = 0; d < dim; ++d) {
                product += double{call.queries[static_cast<std::size_t>(head) * dim + d]} *
                           double{keys[t * dim + d]};
            }
            page += std::exp(product * double{call.scale});
        }
        shares.push_back(page);
        sum += page;
    }
    for (double& share : shares) share /= sum;
    return shares;
}

// Calls a function for every attention to selected pages.
class Listener final : public engine::DecoderObserver {
  public:
    using Function =
        std::function<void(const engine::AttentionCall&, const engine::PolicyAttention&)>;
    explicit Listener(Function function) : function_(std::move(function)) {}
    Status selected(const engine::AttentionCall& call,
                    const engine::PolicyAttention& attention) override {
        function_(call, attention);
        return {};
    }

  private:
    Function function_;
};

TEST(AttentionMass, is_the_softmax_over_all_keys_that_lies_in_the_selected_pages) {
    const test::SmallModel model("llama");
    for (const kv::SelectPer per :
         {kv::SelectPer::layer, kv::SelectPer::kv_head, kv::SelectPer::query_head}) {
        const auto decoder = model.decoder(context + 10, 0);
        const engine::KvShape& shape = decoder->store().shape();
        const int heads = decoder->heads();
        engine::KvPolicy policy = test::selecting(64);
        policy.selection.select_per = per;
        std::vector<engine::TokenId> tokens;
        for (int i = 0; i < context; ++i) tokens.push_back((i * i * 7 + 3) % 256);
        ASSERT_TRUE(decoder->feed(tokens).ok());
        MassMeter meter(decoder->store(), heads);
        double selected = 0.0;
        double best = 0.0;
        int seen = 0;
        Listener listener(
            [&](const engine::AttentionCall& call, const engine::PolicyAttention& attention) {
                ASSERT_TRUE(meter.selected(call, attention).ok());
                const auto sets = static_cast<int>(attention.sets().count());
                const int group = heads / sets;
                for (int set = 0; set < sets; ++set) {
                    std::vector<double> together;
                    for (int head = set * group; head < (set + 1) * group; ++head) {
                        const auto own =
                            shares_of(decoder->store(), call, head, head * shape.kv_heads / heads);
                        together.resize(own.size());
                        for (std::size_t page = 0; page < own.size(); ++page) {
                            EXPECT_NEAR(meter.shares(head)[page], own[page], 1e-5);
                            together[page] += own[page];
                        }
                        ++seen;
                    }
                    for (const kv::PageIndex page : attention.selected(set)) {
                        selected += together[static_cast<std::size_t>(page)];
                    }
                    std::ranges::sort(together, std::greater<>());
                    best += std::accumulate(together.begin(), together.begin() + 4, 0.0);
                }
            });
        decoder->observe(&listener);
        ASSERT_TRUE(decoder->set_policy(policy).ok());
        ASSERT_TRUE(decoder->step(std::vector<engine::TokenId>{1, 2, 3}).ok());
        ASSERT_GT(seen, 0);
        EXPECT_NEAR(meter.means().selected, selected / seen, 1e-5);
        EXPECT_NEAR(meter.means().best, best / seen, 1e-5);
        EXPECT_LE(meter.means().selected, meter.means().best);
        meter.clear();
        EXPECT_EQ(meter.means().selected, 0.0);
    }
}

TEST(AttentionMass, a_budget_of_everything_keeps_all_of_it) {
    const test::SmallModel model("gemma3");
    const auto decoder = model.decoder(context, 0);
    MassMeter meter(decoder->store(), decoder->heads());
    decoder->observe(&meter);
    ASSERT_TRUE(decoder->feed(std::vector<engine::TokenId>(100, 5)).ok());
    ASSERT_TRUE(decoder->set_policy(test::selecting(context)).ok());
    ASSERT_TRUE(decoder->step(std::vector<engine::TokenId>{1, 2, 3}).ok());
    EXPECT_NEAR(meter.means().selected, 1.0, 1e-9);
    EXPECT_NEAR(meter.means().best, 1.0, 1e-9);
}

}  // namespace
}  // namespace memside::eval
