#include "engine/digest_store.h"

#include <rapidcheck/gtest.h>

#include "engine/digest_block.h"
#include "engine/half.h"
#include "engine/sequences.h"
#include "kv/digest_storage.h"

namespace memside::engine {
namespace {

struct Box {
    std::vector<float> low;
    std::vector<float> high;
    bool operator==(const Box&) const = default;
};

Box box_in(const DigestStore& digests, const std::byte* block, std::int64_t lane) {
    const auto dim = static_cast<std::size_t>(digests.shape().head_dim);
    Box box{std::vector<float>(dim), std::vector<float>(dim)};
    load_corners(digests.type(), block, lane, box.low, box.high);
    return box;
}
Box page_box(const DigestStore& digests, int layer, int h, std::int64_t page) {
    return box_in(digests, digests.block(layer, h, page / 16), page % 16);
}
Box superpage_box(const DigestStore& digests, int layer, int h, std::int64_t superpage) {
    return box_in(digests, digests.superpages(layer, h, superpage / 16), superpage % 16);
}

// What kv/ makes of the keys of a page as they are stored.
Box expected_box(const KvStore& store, const DigestConfig& config, int layer, int h,
                 std::int64_t page, std::int64_t tokens) {
    const KvShape& shape = store.shape();
    std::vector<float> keys;
    for (std::int64_t t = 0; t < std::min(shape.page_tokens, tokens - page * shape.page_tokens);
         ++t) {
        for (std::int64_t d = 0; d < shape.head_dim; ++d) {
            keys.push_back(stored_key(store.page(layer, page, h), shape.page_tokens, t, d));
        }
    }
    const auto digest = kv::digest_variant(config.kind).make(shape.head_dim, config.coefficient);
    digest->append(keys);
    const auto dim = static_cast<std::size_t>(shape.head_dim);
    Box box{std::vector<float>(dim), std::vector<float>(dim)};
    digest->corners(box.low, box.high);
    std::vector<std::byte> bytes(kv::digest_bytes(shape.head_dim, config.type));
    kv::store_digest(config.type, kv::DigestRounding::outward, box.low, box.high, bytes);
    kv::load_digest(config.type, bytes, box.low, box.high);
    return box;
}

DigestConfig some_config() {
    DigestConfig config;
    config.kind = *rc::gen::element(kv::DigestKind::minmax, kv::DigestKind::centre_max,
                                    kv::DigestKind::centre_mad, kv::DigestKind::centre_std);
    config.type = *rc::gen::element(kv::DigestType::f16, kv::DigestType::int8);
    if (config.kind != kv::DigestKind::minmax) {
        config.coefficient = *rc::gen::element(0.5F, 1.0F, 1.75F);
    }
    return config;
}

RC_GTEST_PROP(DigestStore, holds_the_digests_of_kv_however_tokens_came_and_went, ()) {
    const DigestConfig config = some_config();
    const auto capacity = std::int64_t{16} * 40;
    const KvShape shape = test::sequence_shape(2, *rc::gen::inRange(1, 12), 16, capacity, 2);
    KvStore store = std::move(KvStore::make(shape)).value();
    DigestStore digests = std::move(DigestStore::make(shape, config)).value();
    ThreadPool pool(2);
    std::int64_t tokens = 0;
    for (int step = *rc::gen::inRange(1, 8); step > 0; --step) {
        // Some rewind first, some bring many tokens, some one by one.
        const std::int64_t first =
            *rc::gen::inRange(0, 3) == 0 ? *rc::gen::inRange<std::int64_t>(0, tokens + 1) : tokens;
        const auto most = std::min<std::int64_t>(capacity - first, 400);
        const auto count = *rc::gen::inRange<std::int64_t>(0, most + 1);
        const auto seed = *rc::gen::arbitrary<std::uint32_t>();
        write_keys(store, 1, first, first + count, test::Keys::iid, seed);
        const int how = *rc::gen::inRange(0, 3);
        if (how == 0) digests.append(store, 1, first, count, pool);
        if (how == 1) digests.append(store, 1, first, count);
        for (std::int64_t t = 0; how == 2 && t < count; ++t) digests.append(store, 1, first + t, 1);
        if (how == 2 && count == 0) digests.append(store, 1, first, 0);
        tokens = first + count;
    }
    for (int h = 0; h < 2; ++h) {
        for (std::int64_t page = 0; page * 16 < tokens; ++page) {
            RC_ASSERT(page_box(digests, 1, h, page) ==
                      expected_box(store, config, 1, h, page, tokens));
        }
    }
}

RC_GTEST_PROP(DigestStore, the_box_of_a_superpage_is_that_of_its_pages_rounded_outward, ()) {
    const DigestConfig config = some_config();
    const auto tokens = *rc::gen::inRange<std::int64_t>(1, 16 * 40);
    const KvShape shape = test::sequence_shape(1, 5, 16, tokens);
    KvStore store = std::move(KvStore::make(shape)).value();
    write_keys(store, 0, 0, tokens, test::Keys::iid, *rc::gen::arbitrary<std::uint32_t>());
    DigestStore digests = std::move(DigestStore::make(shape, config)).value();
    const auto at_once = *rc::gen::inRange<std::int64_t>(0, tokens + 1);
    digests.append(store, 0, 0, at_once);
    for (std::int64_t t = at_once; t < tokens; ++t) digests.append(store, 0, t, 1);

    const std::int64_t pages = (tokens + 15) / 16;
    for (std::int64_t superpage = 0; superpage * 16 < pages; ++superpage) {
        Box around = page_box(digests, 0, 0, superpage * 16);
        for (std::int64_t page = superpage * 16; page < std::min(superpage * 16 + 16, pages);
             ++page) {
            const Box box = page_box(digests, 0, 0, page);
            for (std::size_t d = 0; d < 5; ++d) {
                around.low[d] = std::min(around.low[d], box.low[d]);
                around.high[d] = std::max(around.high[d], box.high[d]);
            }
        }
        std::vector<std::byte> bytes(kv::digest_bytes(5, config.type));
        kv::store_digest(config.type, kv::DigestRounding::outward, around.low, around.high, bytes);
        Box stored = around;
        kv::load_digest(config.type, bytes, stored.low, stored.high);
        RC_ASSERT(superpage_box(digests, 0, 0, superpage) == stored);
        for (std::size_t d = 0; d < 5; ++d) {
            RC_ASSERT(stored.low[d] <= around.low[d]);
            RC_ASSERT(stored.high[d] >= around.high[d]);
        }
    }
}

RC_GTEST_PROP(DigestStore, renewed_pages_are_as_if_written_so_at_first, ()) {
    const DigestConfig config = some_config();
    const auto tokens = *rc::gen::inRange<std::int64_t>(16, 16 * 40);
    const KvShape shape = test::sequence_shape(2, 5, 16, tokens + 32);
    KvStore store = std::move(KvStore::make(shape)).value();
    write_keys(store, 0, 0, tokens, test::Keys::iid, 1);
    DigestStore renewed = std::move(DigestStore::make(shape, config)).value();
    renewed.append(store, 0, 0, tokens);
    const auto first = *rc::gen::inRange<std::int64_t>(0, tokens);
    const auto count =
        *rc::gen::inRange<std::int64_t>(1, std::min<std::int64_t>(tokens - first, 40) + 1);
    write_keys(store, 0, first, first + count, test::Keys::iid, 2);
    renewed.renew(store, 0, first, count);
    // What comes after goes on from there.
    write_keys(store, 0, tokens, tokens + 32, test::Keys::iid, 3);
    for (std::int64_t t = tokens; t < tokens + 32; ++t) renewed.append(store, 0, t, 1);

    DigestStore fresh = std::move(DigestStore::make(shape, config)).value();
    fresh.append(store, 0, 0, tokens + 32);
    for (int h = 0; h < 2; ++h) {
        const std::int64_t pages = (tokens + 32 + 15) / 16;
        for (std::int64_t page = 0; page < pages; ++page) {
            RC_ASSERT(page_box(renewed, 0, h, page) == page_box(fresh, 0, h, page));
            RC_ASSERT(superpage_box(renewed, 0, h, page / 16) ==
                      superpage_box(fresh, 0, h, page / 16));
        }
    }
}

TEST(DigestStore, only_the_layers_asked_for_take_memory) {
    const KvShape shape = test::sequence_shape(2, 8, 16, 16 * 300, 3);
    DigestConfig config;
    config.layers = {false, true, true};
    const DigestStore digests = std::move(DigestStore::make(shape, config)).value();
    EXPECT_FALSE(digests.has_layer(0));
    EXPECT_TRUE(digests.has_layer(2));
    // 300 pages are 19 blocks of 16 and 2 of superpages; two vectors of 8 halves a page.
    EXPECT_EQ(digests.bytes(16 * 300), 2 * 2 * (19 + 2) * 16 * 2 * 8 * 2);
    EXPECT_EQ(digests.bytes(0), 0);
    config.type = kv::DigestType::int8;
    const DigestStore small = std::move(DigestStore::make(shape, config)).value();
    EXPECT_EQ(small.bytes(1), 2 * 2 * 2 * 16 * (2 * 8 + 4));
}

TEST(DigestStore, more_than_the_machine_has_is_refused) {
    const KvShape shape = test::sequence_shape(8, 64, 16, std::int64_t{1} << 42);
    const auto digests = DigestStore::make(shape, {});
    ASSERT_FALSE(digests.ok());
    EXPECT_EQ(digests.error().exit_status(), 1);
}

}  // namespace
}  // namespace memside::engine
