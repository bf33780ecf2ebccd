#include "kv/layout.h"

#include <rapidcheck/gtest.h>

#include "model/catalog.h"

namespace memside::kv {
namespace {

constexpr double gib = 1024.0 * 1024.0 * 1024.0;
constexpr std::int64_t context_128k = 131072;

ModelSpec preset(const std::string& name) {
    auto model = load_model(name);
    EXPECT_TRUE(model.ok()) << (model.ok() ? "" : model.error().message());
    return *model;
}

double kv_gib(const std::string& model, std::int64_t context, std::int64_t page) {
    PageFormat format;
    format.page_tokens = page;
    return static_cast<double>(request_bytes(preset(model), format, context).kv_bytes) / gib;
}

double with_digests_gib(const std::string& model, std::int64_t context, std::int64_t page) {
    PageFormat format;
    format.page_tokens = page;
    const RequestBytes bytes = request_bytes(preset(model), format, context);
    return static_cast<double>(bytes.kv_bytes + bytes.digest_bytes) / gib;
}

TEST(Layout, a_70b_request_of_128k_tokens_takes_40_gib_and_its_digests_a_32nd_more) {
    EXPECT_DOUBLE_EQ(kv_gib("llama-3.1-70b", context_128k, 32), 40.0);
    EXPECT_DOUBLE_EQ(with_digests_gib("llama-3.1-70b", context_128k, 32), 41.25);
}

TEST(Layout, a_405b_request_of_1m_tokens_fits_512_gib_only_with_pages_of_64) {
    EXPECT_DOUBLE_EQ(kv_gib("llama-3.1-405b", 1 << 20, 32), 504.0);
    EXPECT_DOUBLE_EQ(with_digests_gib("llama-3.1-405b", 1 << 20, 32), 519.75);
    EXPECT_DOUBLE_EQ(with_digests_gib("llama-3.1-405b", 1 << 20, 64), 511.875);
}

TEST(Layout, a_last_page_that_is_partly_filled_takes_a_whole_page) {
    EXPECT_EQ(page_count(1, 32), 1);
    EXPECT_EQ(page_count(32, 32), 1);
    EXPECT_EQ(page_count(33, 32), 2);
    const ModelSpec model = preset("llama-3.1-8b");
    EXPECT_EQ(request_bytes(model, {}, 33).kv_bytes, request_bytes(model, {}, 64).kv_bytes);
}

TEST(Layout, sliding_layers_keep_their_window_and_need_no_digests) {
    const ModelSpec gemma = preset("gemma-3-270m");
    ASSERT_GT(gemma.sliding_layers(), 0);
    const RequestBytes bytes = request_bytes(gemma, {}, 32768);
    // 1 KV head of 256, K and V, 2 bytes: 1 KiB per token and layer.
    const std::int64_t expected =
        1024 * (gemma.full_layers() * std::int64_t{32768} + gemma.sliding_layers() * 512);
    EXPECT_EQ(bytes.kv_bytes, expected);
    EXPECT_EQ(bytes.digest_bytes, 1024 * gemma.full_layers() * (32768 / 32));
}

TEST(Layout, dense_first_layers_need_no_digests) {
    PageFormat format;
    format.dense_layers = 2;
    const ModelSpec model = preset("llama-3.1-8b");
    const auto some = request_bytes(model, format, context_128k).digest_bytes;
    const auto all = request_bytes(model, {}, context_128k).digest_bytes;
    EXPECT_EQ(some * 32, all * 30);
}

RC_GTEST_PROP(Layout, bytes_equal_a_sum_over_every_layer_page_and_head, ()) {
    ModelSpec model;
    model.layers = *rc::gen::inRange(1, 8);
    model.kv_heads = *rc::gen::inRange(1, 5);
    model.head_dim = *rc::gen::inRange(1, 9) * 8;
    model.sliding_window_tokens = *rc::gen::inRange(1, 200);
    for (int layer = 0; layer < model.layers; ++layer) {
        model.sliding.push_back(*rc::gen::inRange(0, 2) == 1);
    }
    PageFormat format;
    format.page_tokens = std::int64_t{1} << *rc::gen::inRange(0, 8);
    format.value_type = static_cast<ValueType>(*rc::gen::inRange(0, 5));
    format.digest_type = static_cast<DigestType>(*rc::gen::inRange(0, 2));
    format.dense_layers = *rc::gen::inRange(0, 3);
    const auto context = *rc::gen::inRange<std::int64_t>(1, 2000);

    const double value_bytes[] = {2, 2, 1, 1, 0.5};
    const double digest_value_bytes[] = {2, 1};
    double kv = 0;
    double digests = 0;
    for (int layer = 0; layer < model.layers; ++layer) {
        std::int64_t kept = context;
        const bool slides = model.sliding[static_cast<std::size_t>(layer)];
        if (slides) kept = std::min<std::int64_t>(kept, model.sliding_window_tokens);
        for (std::int64_t first = 0; first < kept; first += format.page_tokens) {
            for (int head = 0; head < model.kv_heads; ++head) {
                kv += 2.0 * static_cast<double>(format.page_tokens) * model.head_dim *
                      value_bytes[static_cast<int>(format.value_type)];
                if (!slides && layer >= format.dense_layers) {
                    digests += 2.0 * model.head_dim *
                               digest_value_bytes[static_cast<int>(format.digest_type)];
                }
            }
        }
    }
    const RequestBytes bytes = request_bytes(model, format, context);
    RC_ASSERT(static_cast<double>(bytes.kv_bytes) == kv);
    RC_ASSERT(static_cast<double>(bytes.digest_bytes) == digests);
}

}  // namespace
}  // namespace memside::kv
