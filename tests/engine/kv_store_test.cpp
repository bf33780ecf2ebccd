#include "engine/kv_store.h"

#include "engine/half.h"
#include "engine/huge_memory.h"

namespace memside::engine {
namespace {

KvShape small_shape() {
    KvShape shape;
    shape.kv_heads = 2;
    shape.head_dim = 20;
    shape.page_tokens = 16;
    shape.capacity_tokens = 100;
    shape.kept_tokens = {0, 24};
    return shape;
}

// The key and value of dimension d of a head at a position: integers that f16 holds exactly.
float key_at(std::int64_t position, int head, int d) {
    return static_cast<float>(position * 8 + head * 4 + d % 4);
}

void fill(KvStore& store, int layer, std::int64_t tokens) {
    const KvShape& shape = store.shape();
    for (std::int64_t t = 0; t < tokens; ++t) {
        std::vector<float> keys;
        for (int h = 0; h < shape.kv_heads; ++h) {
            for (int d = 0; d < shape.head_dim; ++d) keys.push_back(key_at(t, h, d));
        }
        std::vector<float> values;
        for (const float key : keys) values.push_back(-key);
        store.write(layer, t, keys.data(), values.data());
    }
}

void expect_token(const KvStore& store, int layer, std::int64_t position) {
    const KvShape& shape = store.shape();
    const std::int64_t token = position % shape.page_tokens;
    for (int h = 0; h < shape.kv_heads; ++h) {
        const KvPage page = store.page(layer, position / shape.page_tokens, h);
        for (int d = 0; d < shape.head_dim; ++d) {
            EXPECT_EQ(float_from_half(page.keys[d * shape.page_tokens + token]),
                      key_at(position, h, d));
            EXPECT_EQ(float_from_half(page.values[token * shape.value_stride() + d]),
                      -key_at(position, h, d));
        }
    }
}

TEST(KvStore, keys_lie_dimension_major_and_values_token_major_within_a_page) {
    auto store = KvStore::make(small_shape());
    ASSERT_TRUE(store.ok());
    EXPECT_EQ(store->shape().value_stride(), 32);
    EXPECT_EQ(store->shape().page_values(), 20 * 16 + 16 * 32);
    fill(*store, 0, 100);
    for (std::int64_t t = 0; t < 100; ++t) expect_token(*store, 0, t);
}

TEST(KvStore, a_layer_with_a_window_keeps_the_last_tokens_only) {
    auto store = KvStore::make(small_shape());
    ASSERT_TRUE(store.ok());
    fill(*store, 1, 90);
    for (std::int64_t t = 90 - 24; t < 90; ++t) expect_token(*store, 1, t);
    // 7 pages of the first layer, 3 of the second: two for 24 tokens, one more for the ends.
    EXPECT_EQ(store->bytes_of(100), (7 + 3) * 2 * store->shape().page_bytes());
    EXPECT_EQ(store->bytes_of(16), 2 * 2 * store->shape().page_bytes());
}

TEST(KvStore, more_than_the_machine_has_is_refused_in_one_line) {
    KvShape shape = small_shape();
    shape.capacity_tokens = std::int64_t{1} << 40;
    const auto store = KvStore::make(shape);
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.error().exit_status(), 1);
    EXPECT_THAT(store.error().message(), testing::HasSubstr("of memory of this machine"));
}

TEST(HugeMemory, is_zero_and_aligned_to_huge_pages) {
    auto memory = HugeMemory::reserve(5'000'000);
    ASSERT_TRUE(memory.ok());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory->data()) % (1U << 21), 0U);
    EXPECT_GE(memory->size(), 5'000'000U);
    EXPECT_EQ(memory->data()[4'999'999], std::byte{0});
    memory->data()[0] = std::byte{7};
}

}  // namespace
}  // namespace memside::engine
