#include "engine/kv_store.h"

#include <cmath>

#include "base/temp_folder.h"
#include "engine/half.h"
#include "engine/huge_memory.h"
#include "engine/random_weights.h"

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

std::vector<float> key_of(const KvStore& store, int layer, std::int64_t position, int head) {
    const KvShape& shape = store.shape();
    std::vector<float> key(static_cast<std::size_t>(shape.head_dim));
    store.read_keys(layer, position / shape.page_tokens, head, position % shape.page_tokens, 1,
                    key.data());
    return key;
}

std::vector<float> value_of(const KvStore& store, int layer, std::int64_t position, int head) {
    const KvShape& shape = store.shape();
    std::vector<float> value(static_cast<std::size_t>(shape.head_dim));
    store.read_values(layer, position / shape.page_tokens, head, position % shape.page_tokens, 1,
                      value.data());
    return value;
}

void expect_token(const KvStore& store, int layer, std::int64_t position) {
    for (int h = 0; h < store.shape().kv_heads; ++h) {
        const std::vector<float> key = key_of(store, layer, position, h);
        const std::vector<float> value = value_of(store, layer, position, h);
        for (int d = 0; d < store.shape().head_dim; ++d) {
            EXPECT_EQ(key[static_cast<std::size_t>(d)], key_at(position, h, d));
            EXPECT_EQ(value[static_cast<std::size_t>(d)], -key_at(position, h, d));
        }
    }
}

std::uint16_t half_at(const std::byte* from) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, sizeof bits);
    return bits;
}

TEST(KvStore, keys_lie_dimension_major_and_values_token_major_within_a_page) {
    auto store = KvStore::make(small_shape());
    ASSERT_TRUE(store.ok());
    EXPECT_EQ(store->shape().value_stride(), 32);
    EXPECT_EQ(store->shape().page_bytes(), (20 * 16 + 16 * 32) * 2);
    fill(*store, 0, 100);
    for (std::int64_t t = 0; t < 100; ++t) {
        expect_token(*store, 0, t);
        const KvPage page = store->page(0, t / 16, 1);
        EXPECT_EQ(page.values - page.keys, 20 * 16 * 2);
        const std::int64_t token = t % 16;
        EXPECT_EQ(half_at(page.keys + (7 * 16 + token) * 2), half_from_float(key_at(t, 1, 7)));
        EXPECT_EQ(half_at(page.values + (token * 32 + 7) * 2), half_from_float(-key_at(t, 1, 7)));
    }
}

// Keys and values at random, all different, and the store of a type that holds them.
KvStore random_store(kv::ValueType type, float size) {
    KvShape shape = small_shape();
    shape.head_dim = 70;  // no multiple of what shares a lane or a scale
    shape.type = type;
    KvStore store = std::move(KvStore::make(shape)).value();
    for (std::int64_t t = 0; t < 40; ++t) {
        const auto seed = static_cast<std::uint64_t>(t);
        store.write(0, t, test::random_values(140, seed, size).data(),
                    test::random_values(140, 1000 + seed, size).data());
    }
    return store;
}

TEST(KvStore, bf16_is_rounded_to_nearest_and_neighbours_along_the_sum_share_a_lane) {
    const KvStore store = random_store(kv::ValueType::bf16, 5.0F);
    for (std::int64_t t = 0; t < 40; ++t) {
        const auto seed = static_cast<std::uint64_t>(t);
        const auto keys = test::random_values(140, seed, 5.0F);
        const auto values = test::random_values(140, 1000 + seed, 5.0F);
        const KvPage page = store.page(0, t / 16, 1);
        const std::vector<float> key = key_of(store, 0, t, 1);
        const std::vector<float> value = value_of(store, 0, t, 1);
        for (std::int64_t d = 0; d < 70; ++d) {
            const auto i = static_cast<std::size_t>(d);
            EXPECT_EQ(key[i], float_from_bf16(bf16_from_float(keys[70 + i])));
            EXPECT_EQ(value[i], float_from_bf16(bf16_from_float(values[70 + i])));
            const std::int64_t token = t % 16;
            EXPECT_EQ(half_at(page.keys + (d / 2 * 16 + token) * 4 + d % 2 * 2),
                      bf16_from_float(key[i]));
            EXPECT_EQ(half_at(page.values + (token / 2 * 80 + d) * 4 + token % 2 * 2),
                      bf16_from_float(value[i]));
        }
    }
}

TEST(KvStore, int8_is_off_by_half_a_scale_at_most_of_32_dimensions_of_a_key_or_of_a_value) {
    for (const float size : {5.0F, 1e-6F, 3e4F}) {
        const KvStore store = random_store(kv::ValueType::int8, size);
        for (std::int64_t t = 0; t < 40; ++t) {
            const auto seed = static_cast<std::uint64_t>(t);
            const auto keys = test::random_values(140, seed, size);
            const auto values = test::random_values(140, 1000 + seed, size);
            const std::vector<float> key = key_of(store, 0, t, 1);
            const std::vector<float> value = value_of(store, 0, t, 1);
            const auto expect_near = [&](const std::vector<float>& got,
                                         const std::vector<float>& want, std::size_t first,
                                         std::size_t last) {
                float largest = 0.0F;
                for (std::size_t i = first; i < last; ++i) {
                    largest = std::max(largest, std::abs(want[70 + i]));
                }
                // Rounding the scale up to bf16 adds at most 2^-7 of it.
                const float step = largest / 127.0F * (1.0F + 0x1p-7F);
                for (std::size_t i = first; i < last; ++i) {
                    EXPECT_LE(std::abs(got[i] - want[70 + i]), 0.5001F * step);
                }
            };
            expect_near(key, keys, 0, 32);
            expect_near(key, keys, 32, 64);
            expect_near(key, keys, 64, 70);
            expect_near(value, values, 0, 70);
        }
    }
}

TEST(KvStore, int8_lies_in_lanes_of_four_with_its_scales_between_keys_and_values) {
    const KvStore store = random_store(kv::ValueType::int8, 5.0F);
    // 18 rows of lanes of keys, their scales, those of values padded, 4 rows of lanes of values.
    EXPECT_EQ(store.shape().page_bytes(), 18 * 16 * 4 + 128 + 64 + 4 * 80 * 4);
    for (std::int64_t t = 0; t < 40; ++t) {
        const KvPage page = store.page(0, t / 16, 1);
        const std::int64_t token = t % 16;
        const std::vector<float> key = key_of(store, 0, t, 1);
        const std::vector<float> value = value_of(store, 0, t, 1);
        for (std::int64_t d = 0; d < 70; ++d) {
            const auto whole = [](std::byte byte) {
                return static_cast<float>(static_cast<std::int8_t>(byte));
            };
            const auto i = static_cast<std::size_t>(d);
            EXPECT_EQ(key[i], whole(page.keys[(d / 4 * 16 + token) * 4 + d % 4]) *
                                  float_from_bf16(page.key_scales[d / 32 * 16 + token]));
            EXPECT_EQ(value[i], whole(page.values[(token / 4 * 80 + d) * 4 + token % 4]) *
                                    float_from_bf16(page.value_scales[token]));
        }
    }
}

TEST(KvStore, int8_of_zeros_is_zero_and_what_is_no_number_stays_none) {
    KvStore store = random_store(kv::ValueType::int8, 1.0F);
    std::vector<float> keys(140, 0.0F);
    store.write(0, 3, keys.data(), keys.data());
    for (const float x : key_of(store, 0, 3, 0)) EXPECT_EQ(x, 0.0F);
    keys[5] = NAN;
    keys[40] = HUGE_VALF;
    store.write(0, 3, keys.data(), keys.data());
    EXPECT_TRUE(std::isnan(key_of(store, 0, 3, 0)[5]));
    EXPECT_TRUE(std::isnan(key_of(store, 0, 3, 0)[40]));
    EXPECT_EQ(key_of(store, 0, 3, 0)[65], 0.0F);
    EXPECT_TRUE(std::isnan(value_of(store, 0, 3, 0)[5]));
}

TEST(KvStore, random_filling_gives_values_of_a_half_at_most_of_both_signs_in_every_type) {
    ThreadPool pool(2);
    for (const auto type : {kv::ValueType::f16, kv::ValueType::bf16, kv::ValueType::int8}) {
        KvStore store = random_store(type, 1.0F);
        store.fill_random(40, 7, pool);
        int negative = 0;
        for (std::int64_t t = 0; t < 40; ++t) {
            for (const auto& row : {key_of(store, 0, t, 1), value_of(store, 0, t, 0)}) {
                for (const float x : row) {
                    EXPECT_LE(std::abs(x), 0.5F * (1.0F + 0x1p-7F));
                    EXPECT_NE(x, 0.0F);
                    negative += x < 0.0F ? 1 : 0;
                }
            }
        }
        EXPECT_NEAR(negative, 40 * 70, 250);
    }
}

TEST(KvStore, a_type_that_it_does_not_hold_is_refused_by_name) {
    KvShape shape = small_shape();
    shape.type = kv::ValueType::int4;
    const auto store = KvStore::make(shape);
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.error().exit_status(), 2);
    EXPECT_EQ(store.error().message(),
              "keys and values cannot be kept as int4; allowed: f16, bf16, int8");
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

// A store whose first layer has two pages that stay, a ring of three places and a file.
struct FiledStore {
    FiledStore() {
        KvShape shape = small_shape();
        shape.capacity_tokens = 400;
        FileTier tier;
        tier.folder = folder.path("");
        tier.frame_bytes = 1 << 20;
        tier.open_tokens = 20;
        tier.first_pages = {2, 0};
        tier.write_bytes = 1;
        store = std::move(KvStore::make(shape, tier)).value();
    }

    // Tokens [first, last) of the first layer, as positions say, times `sign`.
    void write(std::int64_t first, std::int64_t last, float sign = 1.0F) {
        const KvShape& shape = store.shape();
        ASSERT_TRUE(store.open(0, first, last - first).ok());
        for (std::int64_t t = first; t < last; ++t) {
            std::vector<float> keys;
            for (int h = 0; h < shape.kv_heads; ++h) {
                for (int d = 0; d < shape.head_dim; ++d) keys.push_back(sign * key_at(t, h, d));
            }
            store.write(0, t, keys.data(), keys.data());
        }
        ASSERT_TRUE(store.close(0, last).ok());
    }

    // Key 0 of dimension 0 of a token's head 1, from memory or from the file.
    float key(std::int64_t token) {
        const KvShape& shape = store.shape();
        const std::int64_t page = token / shape.page_tokens;
        const std::int64_t t = token % shape.page_tokens;
        if (!store.in_file(0, page)) {
            return stored_key(store.page(0, page, 1), shape.page_tokens, t, 0);
        }
        store.stream()->begin({{store.offset(0, page, 1), 0}}, shape.piece_bytes());
        EXPECT_TRUE(store.stream()->arrive(0).ok());
        const float key = stored_key(store.view(store.stream()->at(0)), shape.page_tokens, t, 0);
        store.stream()->end();
        return key;
    }

    TempFolder folder;
    KvStore store;
};

TEST(KvStore, full_pages_that_leave_the_ring_are_found_in_the_file) {
    FiledStore filed;
    for (std::int64_t t = 0; t < 200; t += 20) filed.write(t, t + 20);
    for (std::int64_t t = 0; t < 200; ++t) EXPECT_EQ(filed.key(t), key_at(t, 1, 0)) << t;
    // Of 13 pages, two stay and the last three are in the ring.
    EXPECT_EQ(filed.store.pages_in_file(0, 0, 13), 8);
    EXPECT_FALSE(filed.store.in_file(0, 1) || filed.store.in_file(0, 10));
    EXPECT_TRUE(filed.store.in_file(0, 2) && filed.store.in_file(0, 9));
    const KvShape& shape = filed.store.shape();
    EXPECT_EQ(shape.piece_bytes(), direct_alignment);
    // The second layer's window takes three pages.
    EXPECT_EQ(filed.store.memory_bytes(), (2 + 3 + 3) * shape.whole_bytes() + (1 << 20));
    EXPECT_EQ(filed.store.file()->bytes(), (25 - 2) * shape.whole_bytes());
}

TEST(KvStore, after_a_rewind_what_was_before_is_kept_and_what_follows_is_new) {
    // Into the ring, into the file, at its edges and among the pages that stay.
    for (const std::int64_t cut : {197, 180, 150, 144, 69, 64, 40, 32, 31, 16, 5, 0}) {
        FiledStore filed;
        for (std::int64_t t = 0; t < 200; t += 20) filed.write(t, t + 20);
        std::int64_t end = cut;
        for (; end < 250; end += 7) filed.write(end, end + 7, -1.0F);
        for (std::int64_t t = 0; t < end; ++t) {
            ASSERT_EQ(filed.key(t), (t < cut ? 1.0F : -1.0F) * key_at(t, 1, 0)) << cut << ", " << t;
        }
    }
}

TEST(KvStore, a_layer_that_fits_the_places_in_memory_has_no_file) {
    const TempFolder folder;
    FileTier tier;
    tier.folder = folder.path("");
    tier.frame_bytes = 1 << 20;
    tier.open_tokens = 100;
    const KvStore store = std::move(KvStore::make(small_shape(), tier)).value();
    EXPECT_EQ(store.stream(), nullptr);
    EXPECT_EQ(store.memory_bytes(), (7 + 3) * store.shape().whole_bytes());
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
